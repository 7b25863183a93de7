"""What the journal writes with: rows, bytes, families and who did it."""
