"""What an export takes: one snapshot, the keys of the rows, and COPY."""
