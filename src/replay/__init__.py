"""The benchmark: whole consultations over real HTTP, and an audit of the database afterwards.

It speaks to the service like anyone else and imports nothing of it.
"""
