"""Importers for a test: none are there but those that it declares, and afterwards those from before are back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Model

from isekai_core.slicing import importer as home
from isekai_core.slicing.importer import Importer

Declare = Callable[..., type[Importer]]


@contextmanager
def own_importers() -> Iterator[Declare]:
    """No importers within the block, but those that are declared by what it gives: `declare(Shop, tenant=Tenant)`.

    >>> from isekai_core.testing.shop.models import Shop, Tenant
    >>> with own_importers() as declare:
    ...     declare(Tenant).label(), declare(Shop, tenant=Tenant).columns()
    ('shop.Tenant', {'tenant': <class 'isekai_core.testing.shop.models.Tenant'>})
    """
    before = dict(home._importers)  # noqa: SLF001 - the kit may look inside
    home._importers.clear()  # noqa: SLF001
    try:
        yield _declare
    finally:
        home._importers.clear()  # noqa: SLF001
        home._importers.update(before)  # noqa: SLF001


def _declare(model: type[Model], **columns: Any) -> type[Importer]:
    """An importer of `model`, with these `Columns`; declaring one for the same model again takes its place."""
    inner = type("Columns", (), columns)
    return type(f"{model.__name__}Importer", (Importer,), {"model": model, "Columns": inner, "__module__": "__main__"})
