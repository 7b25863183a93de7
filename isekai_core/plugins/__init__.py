"""Who is here: scan (metadata only), load (isolated), registry (names and conflicts), report (what is printed)."""
