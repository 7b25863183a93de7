"""Notes with front matter, for ISEKAI."""
