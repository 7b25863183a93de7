"""PostgreSQL for ISEKAI. Nothing is imported here, so that listing plugins stays quick."""
