"""The suite of loaders: planning writes nothing, writing says what it did, and the same again is unchanged."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest

from isekai_core.conf import did_you_mean
from isekai_core.errors import LoadError
from isekai_core.testing.conformance.base import Conformance
from isekai_core.testing.conformance.checks import shown
from isekai_core.testing.conformance.suite import Suite, fail, must
from isekai_core.types import Key, LoadItem, accepts_name

_READS = re.compile(r"\s*(SELECT|EXPLAIN|PRAGMA|SHOW|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|SET)\b", re.IGNORECASE)
_FOREIGN = "Grüße, 世界 🐍"
_ITEMS = '[LoadItem(Key("acme", "1"), "blog.Article", {"title": "A"})]'


class LoaderConformance(Conformance):
    """Subclass it, and give it a loader and a row to write; it needs pytest-django.

    class TestBulk(LoaderConformance):
        processor = use("bulk")
        model = "blog.Article"
        values = {"title": "A"}

    model: the model, as a text or a class, with a field that takes any text.
    values: the fields of a row of it; a relation is a primary key.
    items: instead of model and values, several `LoadItem`s of one model.
    changes: further values for the first row, with which it is updated; by default another text.
    wrong: values that cannot be written; by default a text with a NUL character.
    """

    kind: ClassVar[str] = "loader"
    needs_django: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _database(self, db: None) -> None:
        """Every test writes, and none finds what another one wrote."""

    def test_it_accepts_the_model(self, suite: Suite) -> None:
        """By `accepts`."""
        loader, label = suite.object, _Rows(suite).label
        must(accepts_name(loader.accepts, label), f"it does not accept {label}: accepts is {shown(loader.accepts)}")

    def test_planning_writes_nothing(self, suite: Suite) -> None:
        """`plan()` sets each item's action and reads at most: `--dry-run` is nothing else."""
        rows = _Rows(suite)
        items = rows.items()
        written = _statements(lambda: suite.object.plan(items))
        must(not written, "\n    ".join(["plan() writes nothing, and it executed", *map(shown, written)]))
        for item in items:
            must(item.action == "create", f"a row that is not there is planned as 'create', got {_planned(item)}")

    def test_writing_makes_rows_and_says_which(self, suite: Suite) -> None:
        """After `write()`, `pk` is that of the row, and `written` holds a hash for every field."""
        rows = _Rows(suite)
        given = rows.items()
        for item, values in zip(_load(suite, rows.items()), (one.values for one in given), strict=True):
            must(item.pk is not None, f"write() sets pk, and it is None for {item.key}")
            must(rows.exists(item.pk), f"write() set the pk {item.pk!r}, and {item.model} has no such row")
            if lacking := sorted(set(values) - set(item.written)):
                fail(f"write() sets written for every field that it wrote, and it lacks {', '.join(lacking)}")

    def test_a_key_that_was_taken_in_advance_is_that_of_the_row(self, suite: Suite) -> None:
        """Rows that need one another refer to such keys (`preallocated`) before any of them is there."""
        rows = _Rows(suite)
        items = rows.items()
        keys = rows.take_keys()
        for item, pk in zip(items, keys, strict=False):
            item.pk, item.preallocated = pk, True
        for item, pk in zip(_load(suite, items), keys, strict=False):
            must(item.pk == pk, f"the key {pk!r} was taken in advance, and write() set the pk {item.pk!r}")
            must(rows.exists(pk), f"the key {pk!r} was taken in advance, and {item.model} has no row with it")

    def test_the_same_again_is_unchanged(self, suite: Suite) -> None:
        """A second plan of the same values, for the row that was written, has nothing to do."""
        rows = _Rows(suite)
        items = _again(rows, _load(suite, rows.items()))
        suite.object.plan(items)
        for item in items:
            must(item.action == "unchanged", f"the same values again are 'unchanged', got {_planned(item)}")

    def test_a_change_is_written_in_place(self, suite: Suite) -> None:
        """The row keeps its primary key, and no other one appears."""
        rows = _Rows(suite)
        changes = rows.changes
        items = _again(rows, _load(suite, rows.items()), **changes)
        before, pk = rows.count(), items[0].pk
        _load(suite, items)
        must(items[0].action == "update", f"a changed value is an 'update', got {_planned(items[0])}")
        must(rows.count() == before, f"an update makes no row: there were {before}, and now there are {rows.count()}")
        must(items[0].pk == pk, f"an update keeps the primary key {pk!r}, got {items[0].pk!r}")
        for name, value in changes.items():
            stands = rows.value(pk, name)
            must(not isinstance(value, str) or stands == value, f"{name} is {shown(stands)}, expected {shown(value)}")

    def test_text_of_every_script_is_kept(self, suite: Suite) -> None:
        """What was written is what stands in the row."""
        rows = _Rows(suite)
        items = rows.items()
        items[0].values[rows.text] = _FOREIGN
        _load(suite, items)
        stands = rows.value(items[0].pk, rows.text)
        must(stands == _FOREIGN, f"{rows.text} is {stands!r}, expected {_FOREIGN!r}")

    def test_what_cannot_be_written_is_said_by_the_plan(self, suite: Suite) -> None:
        """A value that the field refuses makes one item an 'error' with its reason; `plan()` raises nothing."""
        rows = _Rows(suite)
        wrong = rows.items()[0]
        wrong.values |= rows.wrong
        others = rows.items()[1:]
        try:
            suite.object.plan([wrong, *others])
        except Exception as error:
            told = f"{type(error).__name__}: {error}"
            fail(f"plan() says what is wrong with an item in its action, and raises nothing; got {told}")
        must(wrong.action == "error", f"{shown(rows.wrong)} cannot be written: expected 'error', got {_planned(wrong)}")
        must(wrong.error is not None and str(wrong.error), "an item whose action is 'error' says why in error")
        for item in others:
            must(item.action == "create", f"one wrong item spoils no other, got {_planned(item)}")


class _Rows:
    """The rows that the author's class gives, and how they stand in the database."""

    def __init__(self, suite: Suite) -> None:
        from django.apps import apps  # noqa: PLC0415 - the suites of the other kinds need no project

        self._suite = suite
        self._given: Sequence[LoadItem] = suite.several("items", LoadItem, _ITEMS, may_lack=True) or [self._one()]
        self.label = self._given[0].model
        if others := {item.model for item in self._given} - {self.label}:
            fail(f"{suite.name}.items: a loader plans items of one model, got {self.label} and {others.pop()}")
        try:
            self._model = apps.get_model(self.label)
        except (LookupError, ValueError) as error:
            fail(f"{suite.name}: there is no model {self.label!r} in this project: {error}")
        for item in self._given:
            self._check_fields("items" if suite.optional("items") else "values", item.values)

    def _check_fields(self, name: str, values: Mapping[str, Any]) -> None:
        """The author's own typing errors must not look like those of the loader."""
        from isekai_core.pipeline.transform import fillable_fields  # noqa: PLC0415 - as above

        known: Mapping[str, Any] = fillable_fields(self._model)  # type: ignore[arg-type]  # Django's is not typed
        for field in values:
            if field not in known:
                hint = f"{did_you_mean(str(field), known)}; its fields: {', '.join(sorted(known))}"
                fail(f"{self._suite.name}.{name} names {field!r}, and {self.label} has no such field to fill{hint}")

    def _one(self) -> LoadItem:
        model = self._suite.needed("model", '"blog.Article"')
        values = self._suite.needed("values", '{"title": "A"}')
        if not isinstance(values, Mapping):
            fail(f"{self._suite.name}.values is {values!r}, expected a mapping of fields to values")
        label = model if isinstance(model, str) else getattr(getattr(model, "_meta", None), "label", None)
        if label is None:
            fail(f"{self._suite.name}.model is {model!r}, expected a model or its name such as 'blog.Article'")
        return LoadItem(Key("conformance", "1"), label, dict(values))

    def items(self) -> list[LoadItem]:
        """New items, for a loader to plan."""
        return [LoadItem(one.key, one.model, dict(one.values), one.match) for one in self._given]

    def take_keys(self) -> Sequence[Any]:
        """A key for each, as resources that need one another get it; none for a model whose keys cannot be taken."""
        from isekai_core.pipeline.loading.cycles import take_keys  # noqa: PLC0415 - as above

        try:
            # Not the next one, which SQLite gives to whoever asks for none.
            return take_keys(self._model, len(self._given) + 1)[1:]
        except LoadError:
            return ()

    @property
    def text(self) -> str:
        """The field that takes any text."""
        first = self._given[0]
        for name, value in first.values.items():
            kind = self._model._meta.get_field(name).get_internal_type()
            if isinstance(value, str) and kind in ("CharField", "TextField") and name not in first.match:
                return name
        return fail(f"{self._suite.name}: none of {', '.join(first.values)} is a text field: give a model with one")

    @property
    def changes(self) -> dict[str, Any]:
        return self._further("changes") or {self.text: f"{self._given[0].values[self.text]}2"}

    @property
    def wrong(self) -> dict[str, Any]:
        return self._further("wrong") or {self.text: "a\0b"}

    def _further(self, name: str) -> dict[str, Any]:
        given = self._suite.optional(name) or {}
        if not isinstance(given, Mapping):
            fail(f"{self._suite.name}.{name} is {given!r}, expected a mapping of fields to values")
        self._check_fields(name, given)
        return dict(given)

    def exists(self, pk: Any) -> bool:
        return bool(self._model._base_manager.filter(pk=pk).exists())

    def count(self) -> int:
        return int(self._model._base_manager.count())

    def value(self, pk: Any, name: str) -> Any:
        return getattr(self._model._base_manager.get(pk=pk), name)


def _load(suite: Suite, items: list[LoadItem]) -> list[LoadItem]:
    """Plan and write as the engine does."""
    from django.db import transaction  # noqa: PLC0415 - as above

    loader = suite.object
    loader.plan(items)
    for item in items:
        must(item.action != "error", f"{item.key} cannot be written: {item.error}")
    with transaction.atomic():
        loader.write([item for item in items if item.action in ("create", "update")])
    return items


def _again(rows: _Rows, before: Sequence[LoadItem], **changes: Any) -> list[LoadItem]:
    """The same resources in a later run; the first of them changed."""
    items = rows.items()
    items[0].values |= changes
    for item, written in zip(items, before, strict=True):
        item.pk, item.written = written.pk, dict(written.written)
    return items


def _planned(item: LoadItem) -> str:
    reason = f" ({item.error})" if item.error is not None else ""
    changed = f" of {', '.join(item.changed)}" if item.changed and item.action == "update" else ""
    return f"{item.action!r}{changed}{reason}"


def _statements(action: Callable[[], object]) -> list[str]:
    """The statements that `action` executed on any database, except those that read."""
    from django.db import connections  # noqa: PLC0415 - as above
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - as above

    with ExitStack() as stack:
        captured = [
            stack.enter_context(CaptureQueriesContext(connection))
            for connection in connections.all(initialized_only=True)
        ]
        action()
        found = [query["sql"] for one in captured for query in one.captured_queries]
    return [sql for sql in found if not _READS.match(sql)]
