"""HTTP for ISEKAI: the `sitemap` seeder and the `http` extractor."""
