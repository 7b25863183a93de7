"""What a load takes: batches, cycles, matches, new rows and the addresses of others."""
