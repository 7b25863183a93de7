"""Composing: names and options become processors that can meet."""
