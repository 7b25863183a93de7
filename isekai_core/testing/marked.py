"""Slices that tests are marked with: each is loaded into the database of its test, and gone after it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import SimpleTestCase

from isekai_core.builtins.orm.database import Orm
from isekai_core.builtins.orm.ledger import TABLE
from isekai_core.builtins.slice_file import File
from isekai_core.conf import did_you_mean
from isekai_core.errors import SliceError
from isekai_core.plugins.registry import registry
from isekai_core.slicing.progress import Silent
from isekai_core.slicing.slicer import SliceResult, choice_of
from isekai_core.slicing.storing import storing
from isekai_core.types.slices import BundleReader, LoadChoice, SliceTarget, TableReport

MARK = "isekai_slice"
_OPTIONS = {"using": "default", "ids": "keep", "on_conflict": "update", "dangling": "error", "name": "", "files": False}


@dataclass(frozen=True)
class Wanted:
    """What a mark asks for.

    path: the folder of the bundle.
    using: the alias of the database.
    files: whether the files of file fields are stored, and removed after the test.
    """

    path: Path
    using: str
    files: bool
    choice: LoadChoice


@contextmanager
def loaded(request: pytest.FixtureRequest) -> Iterator[Sequence[SliceResult]]:
    """Load the slices of a test's marks, those of its module and class first; a failure is that of this test alone."""
    if request.cls is not None and issubclass(request.cls, SimpleTestCase):
        pytest.fail(f"{MARK}: a TestCase makes its database ready by itself; use a test function", pytrace=False)
    with ExitStack() as cleaning:
        try:
            wanted = [wanted_by(mark, request) for mark in _marks(request)]
            _use_database(request)
            results = [_load(one, cleaning) for one in wanted]
        except (SliceError, ValueError) as error:
            msg = f"{MARK}: {error}"
            raise pytest.fail.Exception(msg, pytrace=False) from None
        yield results


def wanted_by(mark: pytest.Mark, request: pytest.FixtureRequest) -> Wanted:
    """What a mark asks for; `ValueError` and `PlanError` say what cannot be."""
    if len(mark.args) != 1 or not isinstance(mark.args[0], str | os.PathLike):
        msg = f"expected the path of one slice, such as {MARK}('slices/bug-1234'), got {mark.args!r}"
        raise ValueError(msg)
    for name in mark.kwargs:
        if name not in _OPTIONS:
            msg = f"there is no option {name!r}{did_you_mean(name, _OPTIONS)}; there are {', '.join(_OPTIONS)}"
            raise ValueError(msg)
    options: dict[str, Any] = {**_OPTIONS, **mark.kwargs}
    if options["using"] not in connections.settings:
        known = ", ".join(connections.settings)
        msg = f"using: there is no database {options['using']!r} in DATABASES; there are {known}"
        raise ValueError(msg)
    choice = choice_of(options["ids"], options["on_conflict"], options["dangling"], "check", options["name"])
    return Wanted(_found(Path(mark.args[0]), request), options["using"], bool(options["files"]), choice)


def _found(path: Path, request: pytest.FixtureRequest) -> Path:
    """The folder: beside the test, or below the root of all tests."""
    places = list(dict.fromkeys([request.path.parent / path, request.config.rootpath / path]))
    for place in places:
        if place.is_dir():
            return place
    msg = f"there is no slice {str(path)!r}: looked for the folder {' and '.join(map(str, places))}"
    raise ValueError(msg)


def _use_database(request: pytest.FixtureRequest) -> None:
    if not request.config.pluginmanager.hasplugin("django"):
        pytest.fail(f"{MARK} needs pytest-django: pip install 'isekai-core[testing]'", pytrace=False)
    # Of a test that asks for transactional_db, this is that one.
    request.getfixturevalue("db")


def _marks(request: pytest.FixtureRequest) -> Iterator[pytest.Mark]:
    """From the outside in; decorators from the top down, which Python applies from the bottom up."""
    for node in request.node.listchain():
        own = [mark for mark in node.own_markers if mark.name == MARK]
        yield from reversed(own) if node is request.node else own


def _load(wanted: Wanted, cleaning: ExitStack) -> SliceResult:
    target = _target(wanted.using)
    if not connections[wanted.using].in_atomic_block:
        cleaning.callback(_forget, wanted.using)
    tables = _load_all(File(wanted.path).reader(), target, wanted, cleaning)
    return SliceResult(tables, str(wanted.path), target.name)


def _load_all(bundle: BundleReader, target: SliceTarget, wanted: Wanted, cleaning: ExitStack) -> Sequence[TableReport]:
    if not wanted.files:
        return target.load(bundle, wanted.choice, Silent())
    with storing(bundle, Silent()) as stored:
        tables = target.load(stored.bundle, wanted.choice, Silent())
    cleaning.callback(stored.take_back)
    return tables


def _target(using: str) -> SliceTarget:
    """That of isekai-postgres, where both are there; both load within the transaction of the test."""
    for entry in registry().entries("slice_target"):
        if entry.plugin == "isekai-postgres" and connections[using].vendor == "postgresql":
            target: SliceTarget = entry.load()(alias=using)
            return target
    return Orm(using)


def _forget(using: str) -> None:
    """A test without a transaction of its own is followed by a flush, which does not know the map of keys."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if TABLE in connection.introspection.table_names(cursor):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(TABLE)}")  # noqa: S608 - a constant
