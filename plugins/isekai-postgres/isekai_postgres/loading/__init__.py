"""What a load takes: one transaction, staged rows and their new keys."""
