"""Slices out of any database of Django's, and into it: slowly, by the ORM, and the same everywhere.

`database.py` is the source and target that is registered; the others are its steps: keys, choice and closure say which
rows, export writes them; drift, staging, merge and ledger bring them in, unload takes them out.
"""
