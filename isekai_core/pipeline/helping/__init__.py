"""Further processes that do the front of a run together with the one that was asked for it."""
