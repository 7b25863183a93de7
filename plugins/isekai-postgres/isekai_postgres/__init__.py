"""PostgreSQL for ISEKAI: rows of a table or of a query as resources."""

from isekai_postgres.seed import TableSeeder

__all__ = ["TableSeeder"]
