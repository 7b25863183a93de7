"""The command line: one module per command; `isekai …` and `manage.py isekai …` are the same."""
