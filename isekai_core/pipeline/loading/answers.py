"""What rows answer when they are asked: their address, an attribute, or whether they are there at all."""

import re
from typing import Any
from urllib.parse import quote

from django.core.exceptions import FieldDoesNotExist, FieldError, ValidationError
from django.db import DatabaseError
from django.db.models import FileField, Model

from isekai_core.errors import LoadError, TransformError
from isekai_core.pipeline.given import is_storable
from isekai_core.pipeline.transform import find_model
from isekai_core.plugins.contain import in_words
from isekai_core.types import ModelRef

_IN_NO_ADDRESS = re.compile(r"""[\x00-\x20"<>\\^`{|}\x7f]""")


def as_address(text: str) -> str:
    """`text` with what no address may hold escaped: it will stand within HTML, where a quote would end it.

    >>> as_address('/films/"Heat"/')
    '/films/%22Heat%22/'
    """
    return _IN_NO_ADDRESS.sub(lambda found: quote(found.group()), text)


def url_of(row: Model) -> str:
    """The address of a row: its `get_absolute_url()`, or that of its first file; `LoadError` without either."""
    if hasattr(row, "get_absolute_url"):
        if not (address := row.get_absolute_url()):
            msg = f"{row._meta.label} {row.pk} has no address: get_absolute_url() gave {address!r}"
            raise LoadError(msg)
        return as_address(str(address))
    for field_ in row._meta.concrete_fields:
        if isinstance(field_, FileField) and (file := getattr(row, field_.attname)):
            return as_address(str(file.url))
    msg = f"{row._meta.label} has no address: it has neither get_absolute_url() nor a file"
    raise LoadError(msg)


def attribute_of(row: Model, path: str) -> Any:
    """The attribute of `row` that `path` names, dotted; `LoadError` when it has none."""
    if path == "url":
        return url_of(row)
    value: Any = row
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            msg = f"{row._meta.label} has no attribute {path!r}"
            raise LoadError(msg) from None
    return value() if callable(value) else value


def answer(row: Model | None, attr: str, label: str, pk: Any) -> Any:
    """The attribute, or the `LoadError` that everyone who asks for it gets."""
    if row is None:
        return LoadError(f"it was {label} {pk}, which is not there any more")
    try:
        return attribute_of(row, attr)
    except LoadError as error:
        return error
    except DatabaseError:
        # The transaction is broken, and nothing can be answered in it.
        raise
    except Exception as error:
        # Code of the project: an address that needs a URL pattern which is not there yet, say.
        return LoadError(f"{attr!r} of {label} {pk} ended with {in_words(error)}")


def lookup_identity(ref: ModelRef) -> Any:
    """The same for refs that ask the same."""
    return (
        ref.model,
        ref.attr,
        tuple(sorted((name, type(value).__name__, str(value)) for name, value in ref.lookup.items())),
    )


def look_up(ref: ModelRef) -> Any:
    """The value, or the `LoadError` that everyone who asks for it gets."""
    wanted = f"{ref.model} with {', '.join(f'{name}={value!r}' for name, value in ref.lookup.items())}"
    if not all(is_storable(value) for value in ref.lookup.values()):
        # No row can have it, and PostgreSQL would refuse to look.
        return LoadError(f"there is no {wanted}")
    try:
        rows = list(find_model(ref.model)._base_manager.filter(**ref.lookup)[:2])
    except (TransformError, FieldError, FieldDoesNotExist, ValueError, ValidationError) as error:
        return LoadError(f"cannot look for {wanted}: {error}")
    if len(rows) != 1:
        return LoadError(f"there is no {wanted}" if not rows else f"there is more than one {wanted}")
    return rows[0].pk if ref.attr == "pk" else answer(rows[0], ref.attr, ref.model, rows[0].pk)
