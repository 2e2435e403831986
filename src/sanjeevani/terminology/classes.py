"""Which classes of ingredients are no therapeutic groups."""

from functools import cache

from sanjeevani.terminology.data_files import read_rows


@cache
def not_therapeutic() -> frozenset[str]:
    """Return the classes that say something else of a medicine than what it treats.

    Effects and enzymes that interactions ask for, groups of one allergy, kinds of substances,
    what a law names: two medicines that share such a class do not double each other.
    """
    return frozenset(row["code"] for row in read_rows("classes_not_therapeutic"))
