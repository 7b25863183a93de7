"""What the author of a suite gives: attributes, properties, methods or fixtures of the class, read in one way."""

import copy
import inspect
from collections.abc import Sequence
from typing import Any, NoReturn

import pytest

from isekai_core.errors import ConfigurationError
from isekai_core.pipeline.composing.compose import Processor, assemble
from isekai_core.pipeline.definition import FunctionProcessor, Pipeline, Use
from isekai_core.plugins.registry import registry
from isekai_core.types import ResourceView

_MISSING: Any = object()
_NAMES = (
    *("processor", "keys", "missing", "resources", "model", "values", "items", "changes", "wrong"),
    *("source", "target", "jobs", "rows"),
)
"""What the suites are given, each by its own."""


def fail(message: str) -> NoReturn:
    """The test fails with this message, without a traceback: it is about the processor, not about the suite."""
    pytest.fail(message, pytrace=False)


def must(condition: object, message: str) -> None:
    """The test fails with this message unless `condition` holds."""
    if not condition:
        fail(message)


class Given:
    """The base of what an author subclasses: which of the suite's names are fixtures is told to pytest.

    Asked for only inside a test, a fixture that uses the database would come too late for pytest-django, which makes
    ready at the start what some test says that it needs: it would be at work in the project's own database.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if names := [name for name in _NAMES if _is_fixture(getattr(cls, name, None))]:
            pytest.mark.usefixtures(*names)(cls)


def _is_fixture(value: object) -> bool:
    # pytest has no public name for what its decorator makes.
    return type(value).__name__ == "FixtureFunctionDefinition"


class Suite:
    """A suite at work.

    kind: of the processor.
    owner: the instance of the author's class.
    request: by which the fixtures are had; without it, there are none.
    """

    def __init__(self, kind: str, owner: object, request: pytest.FixtureRequest | None = None) -> None:
        self.kind = kind
        self.owner = owner
        self.name = type(owner).__name__
        self._request = request

    def optional(self, name: str, default: Any = None) -> Any:
        """What the class gives under `name`; the default when it gives nothing."""
        value = getattr(self.owner, name, _MISSING)
        if value is _MISSING:
            return default
        if _is_fixture(value) and self._request is not None:
            return self._request.getfixturevalue(name)
        return self._called(name, value) if inspect.ismethod(value) or inspect.isfunction(value) else value

    def _called(self, name: str, method: Any) -> Any:
        try:
            inspect.signature(method).bind()
        except (TypeError, ValueError) as error:
            wanted = f"expected def {name}(self), a fixture, or the value itself"
            fail(f"{self.name}.{name} is a function that cannot be called without arguments ({error}): {wanted}")
        return method()

    def needed(self, name: str, example: str) -> Any:
        """What the class gives under `name`; the test fails, and shows the example, when it gives nothing."""
        value = self.optional(name, _MISSING)
        if value is _MISSING or (isinstance(value, Sequence) and not value):
            what = "is empty" if value is not _MISSING else "is missing"
            fail(f"{self.name}.{name} {what}: the suite of {self.kind}s needs it, for example\n    {name} = {example}")
        return value

    def several(self, name: str, of: type[Any], example: str, *, may_lack: bool = False) -> list[Any]:
        """A list under `name`, all of one type."""
        value = self.optional(name, ()) if may_lack else self.needed(name, example)
        if isinstance(value, str) or not isinstance(value, Sequence):
            fail(f"{self.name}.{name} is {value!r}, expected a list, for example\n    {name} = {example}")
        for item in value:
            if not isinstance(item, of):
                wanted = f"expected {of.__name__} objects, for example\n    {name} = {example}"
                fail(f"{self.name}.{name} holds {item!r}, {wanted}")
        return list(value)

    # The processor

    @property
    def given(self) -> Any:
        """The processor as the author writes it: `use(…)`, a class, or an object; a name is a `use` without options."""
        given = self.needed("processor", 'use("acme", token="t")')
        return Use(given) if isinstance(given, str) else given

    def compose(self) -> Processor:
        """The processor as a pipeline has it: a new one of a `use(…)` and of a class."""
        given = self.given
        return self._composed(self._instance(given) if isinstance(given, type) else given)

    def compose_again(self) -> Processor:
        """Another one with the same options; of an object, a copy."""
        given = self.given
        return self._composed(given) if isinstance(given, Use) else self._composed(self._copy(given))

    @property
    def object(self) -> Any:
        """The processor itself, ready for its method to be called."""
        return self.compose().object

    @property
    def cls(self) -> type[Any]:
        """The class of the processor; for a decorated function, that of what the decorator makes."""
        given = self.given
        if not isinstance(given, Use):
            return given if isinstance(given, type) else type(given)
        try:
            return registry().find(self.kind, given.name).load()
        except ConfigurationError as error:
            fail(f"{self.name}.processor: {error}")

    @property
    def module(self) -> str:
        """The module that the processor comes from."""
        given = self.given
        home = given.function if isinstance(given, FunctionProcessor) else self.cls
        return str(home.__module__)

    def _composed(self, given: Any) -> Processor:
        try:
            # The others stay out: the built-in loader needs a project.
            lists: dict[str, Any] = {"loaders": (), f"{self.kind}s": [given]}
            return assemble(Pipeline("conformance", **lists))[self.kind][0]
        except (ConfigurationError, TypeError) as error:
            # The author knows no pipeline here.
            said = str(error).removeprefix(f"pipelines.conformance.{self.kind}s[0]: ")
            fail(f"{self.name}.processor: {said}")
        except Exception as error:
            if type(error).__name__ != "ImproperlyConfigured":
                raise
            line = "DJANGO_SETTINGS_MODULE = isekai_core.testing.settings"
            fail(f"a pipeline is composed in a Django project: put {line} into pytest.ini, or your own settings")

    def _instance(self, cls: type[Any]) -> Any:
        try:
            return cls()
        except TypeError as error:
            options = f'use("…", option=…) or {cls.__name__}(option=…)'
            fail(f"{self.name}.processor is a class that cannot be made without options ({error}): give {options}")

    def _copy(self, given: Any) -> Any:
        return self._instance(given) if isinstance(given, type) else copy.copy(given)


def fresh(view: ResourceView) -> ResourceView:
    """The same resource, with nothing that a processor has kept with it."""
    return ResourceView(view.key, metadata=view.metadata, payload=view.payload, depth=view.depth, mined=view.mined)


def resources(suite: Suite) -> list[ResourceView]:
    """The resources that the class gives, each with a payload."""
    example = '[make_resource("url:https://old.example.org/", text="…", media_type="text/html")]'
    given = suite.several("resources", ResourceView, example)
    for view in given:
        try:
            _ = view.payload
        except LookupError:
            fail(f"{suite.name}.resources: {view.key} has no payload; give make_resource a text, a blob or a record")
    return [fresh(view) for view in given]
