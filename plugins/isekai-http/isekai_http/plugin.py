"""What isekai-http registers: hook implementations only, so that asking who is here imports nothing else."""

from typing import Any

from isekai_core import hookimpl


@hookimpl
def isekai_register_seeders(register: Any) -> None:
    register("sitemap", "isekai_http.seed:SitemapSeeder")


@hookimpl
def isekai_register_extractors(register: Any) -> None:
    register("http", "isekai_http.extract:HttpExtractor")
