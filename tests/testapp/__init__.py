"""A Django app with every kind of relation and constraint, for the tests. Its tables are synchronised, not migrated."""
