"""What the tests of slices share: a database to cut from, one to load into, and rows of the shop.

A package and not a conftest, so that tests and conftests of every folder can import it.
"""
