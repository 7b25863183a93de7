"""What the suites of all five kinds have in common: what is declared, what an import does, the fingerprint."""

from typing import ClassVar

import pytest

from isekai_core.testing.conformance.suite import Given, Suite, fail, must
from isekai_core.testing.declared import problems_of_object
from isekai_core.testing.fresh import ImportReport, import_report


class Conformance(Given):
    """Subclassed by the suite of each kind.

    processor: what is tested: `use(…)`, a class, an object or a decorated function.
    needs_django: whether its module can only be imported in a Django project.

    Whatever an author gives may be an attribute, a property, a method or a fixture of the class.
    """

    kind: ClassVar[str]
    needs_django: ClassVar[bool] = False

    @pytest.fixture
    def suite(self, request: pytest.FixtureRequest) -> Suite:
        """What the class gives, for the tests."""
        return Suite(self.kind, self, request)

    def test_what_it_declares_is_in_order(self, suite: Suite) -> None:
        """Docstring, method, `accepts` and `produces`, `version`, options: see `problems_of`."""
        cls, processor = suite.cls, suite.object
        if found := problems_of_object(self.kind, processor):
            name = processor.function.__qualname__ if hasattr(processor, "function") else cls.__qualname__
            fail("\n    ".join([f"what {name} declares is not in order:", *dict.fromkeys(found)]))

    def test_importing_it_opens_no_connection_and_starts_no_process(self, suite: Suite) -> None:
        """Whoever lists plugins, or types a wrong name, imports it: that must have no effect on anything."""
        calls = self._import_report(suite).calls
        must(not calls, "\n    ".join([f"the import of {suite.module} must have no effect, and it", *calls]))

    def test_importing_it_needs_no_django_project(self, suite: Suite) -> None:
        """Plugins are listed and checked where there is no project; unless the suite says `needs_django = True`."""
        report = self._import_report(suite)
        if report.needs_project:
            hint = f"import models inside functions, or say needs_django = True in {suite.name}"
            fail(f"{suite.module} cannot be imported without a Django project ({report.error}): {hint}")
        must(not report.error, f"{suite.module} cannot be imported in a process of its own: {report.error}")

    def test_two_of_it_with_the_same_options_have_the_same_fingerprint(self, suite: Suite) -> None:
        """The fingerprint says what is done again: with another one in each process, everything always would be."""
        first, second = suite.compose(), suite.compose_again()
        reason = "is there something in its attributes that differs each time, such as a time or a random number?"
        must(first.fingerprint == second.fingerprint, f"two {first.name} of the same options differ: {reason}")

    def _import_report(self, suite: Suite) -> ImportReport:
        return import_report(suite.module, in_project=self.needs_django)
