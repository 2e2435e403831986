"""What whoever holds a link and knows the year of birth may see."""
