"""An app with the pipeline of `killing.py`, and its settings: all processes of a run find them by their names."""
