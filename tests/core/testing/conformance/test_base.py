"""What all suites have in common, and how they look to an author: in a pytest of its own, from three lines."""

import itertools
import os
import subprocess
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import ClassVar

import pytest

from isekai_core import use
from isekai_core.testing import MinerConformance, make_resource

PAGE = make_resource("row:1", text="a b", media_type="text/plain")

ACME = """
    from isekai_core import hookimpl, Key, Mined

    @hookimpl
    def isekai_register_miners(register):
        register("words", "isekai_acme_mine:WordMiner")
"""
MINE = """
    from isekai_core import Key, Mined

    class WordMiner:
        '''Finds words.

        least: letters of a word.
        '''
        accepts = ("text/*",)

        def __init__(self, least: int = 1) -> None:
            self.least = least

        def mine(self, resource):
            return [Mined(Key("word", word)) for word in resource.payload.text.split() if word.isalpha()]
"""


def suite_of(processor, **given):
    return type("ASuite", (MinerConformance,), {"processor": processor, "resources": [PAGE], **given})


@pytest.fixture
def acme(fake_distribution):
    """Installs isekai-acme, with this before what its processor's module is made of."""
    return lambda first="": fake_distribution(
        "isekai-acme", ACME, files={"isekai_acme_mine.py": f"{dedent(first)}\n{dedent(MINE)}"}
    )


def test_a_processor_by_its_name_passes(acme, failures):
    acme()
    assert failures(suite_of(use("words", least=2))) == {}
    assert failures(suite_of("isekai-acme/words")) == {}


@pytest.mark.parametrize(
    ("processor", "words"),
    [
        (use("wrds"), "ASuite.processor: there is no miner 'wrds' (did you mean 'words'?)"),
        (use("words", lest=2), "lest: unknown option (did you mean 'least'?)"),
        (use("words", least="two"), "least: expected int, got 'two'"),
        (len, "ASuite.processor: "),
    ],
)
def test_a_processor_that_cannot_be_composed_is_the_message(acme, failures, processor, words):
    acme()
    found = failures(suite_of(processor))
    assert words in found["test_it_finds_something"]


def test_a_processor_that_is_left_out_is_asked_for(failures):
    found = failures(type("ASuite", (MinerConformance,), {"resources": [PAGE]}))
    assert set(found.values()) == {
        'ASuite.processor is missing: the suite of miners needs it, for example\n    processor = use("acme", token="t")'
    }


def test_a_class_that_needs_options_is_named(failures):
    class Needs:
        """Needs something.

        what: it.
        """

        accepts = ("*",)

        def __init__(self, what: str) -> None: ...

        def mine(self, resource):
            return []

    message = failures(suite_of(Needs))["test_it_finds_something"]
    assert message.startswith("ASuite.processor is a class that cannot be made without options (")
    assert message.endswith('give use("…", option=…) or Needs(option=…)')


def test_what_is_declared_is_checked_of_class_and_instance(acme, failures):
    acme()
    folder = acme("class Base: pass")
    mine = folder / "isekai_acme_mine.py"
    text = mine.read_text().replace("least: letters of a word.", "").replace('("text/*",)', '("text/*", "HTML")')
    mine.write_text(text)
    message = failures(suite_of(use("words")))["test_what_it_declares_is_in_order"]
    assert message.splitlines() == [
        "what WordMiner declares is not in order:",
        "    accepts names 'HTML': a media type is written 'text/html', all of one sort 'text/*'",
        "    option 'least' is not in the docstring: add a line 'least: …' that says what it is",
    ]


def test_an_import_with_an_effect_fails(acme, failure):
    acme("import os; os.system('true')")
    name, message = failure(suite_of(use("words")))
    assert name == "test_importing_it_opens_no_connection_and_starts_no_process"
    assert message.splitlines()[0] == "the import of isekai_acme_mine must have no effect, and it"
    assert "starts a process, os.system of" in message
    assert "isekai_acme_mine.py:1" in message


def test_an_import_that_needs_a_project_fails_unless_the_suite_says_so(acme, failures):
    acme("from django.contrib.auth.models import User")
    [(name, message)] = failures(suite_of(use("words"))).items()
    assert name == "test_importing_it_needs_no_django_project"
    assert "isekai_acme_mine cannot be imported without a Django project (ImproperlyConfigured" in message
    assert message.endswith("import models inside functions, or say needs_django = True in ASuite")


def test_an_import_that_needs_a_project_passes_when_the_suite_says_so(acme, failures):
    acme("from django.contrib.auth.models import Group")
    assert failures(suite_of(use("words"), needs_django=True)) == {}


def test_an_object_with_a_random_part_has_no_fingerprint_of_its_own(failure):
    numbers = itertools.count()

    @dataclass
    class Odd:
        """Is odd."""

        accepts: ClassVar = ("*",)

        def __post_init__(self):
            self.number = next(numbers)

        def mine(self, resource):
            from isekai_core import Key, Mined

            return [Mined(Key("word", "a"))]

    name, message = failure(suite_of(Odd))
    assert name == "test_two_of_it_with_the_same_options_have_the_same_fingerprint"
    assert "something in its attributes that differs each time" in message


# In a pytest of its own


@pytest.fixture
def author(acme, tmp_path):
    """`author(source, *options)`: what pytest prints for the tests of an author of isekai-acme, and its status."""
    folder = acme()

    def run(source, *options, settings=True):
        (tmp_path / "test_acme.py").write_text(dedent(source))
        line = "DJANGO_SETTINGS_MODULE = isekai_core.testing.settings\n" if settings else ""
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{line}")
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "test_acme.py"],
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return done.stdout, done.returncode

    return run


THREE_LINES = """
    from isekai_core import use
    from isekai_core.testing import MinerConformance, make_resource

    class TestWords(MinerConformance):
        processor = use("words", least=2)
        resources = [make_resource("row:1", text="a b")]
"""


def test_three_lines_are_enough_and_the_suite_itself_is_not_collected(author):
    printed, status = author(THREE_LINES, "-v")
    assert status == 0, printed
    assert "test_acme.py::TestWords::test_no_payload_makes_it_fall_over PASSED" in printed
    assert "::MinerConformance::" not in printed


def test_whatever_is_given_may_be_a_fixture_a_property_or_a_method(author):
    source = """
        import pytest
        from isekai_core import use
        from isekai_core.testing import MinerConformance, make_resource

        class TestByFixture(MinerConformance):
            @pytest.fixture
            def processor(self, tmp_path, resource_view):
                return use("words", least=len(str(tmp_path)))

            @pytest.fixture(name="resources")
            def _resources(self, resource_view):
                return [resource_view("row:1", text="a b")]

            resources = _resources

        class TestByProperty(MinerConformance):
            @property
            def processor(self):
                return use("words")

            def resources(self):
                return [make_resource("row:1", text="a b")]
    """
    printed, status = author(source, "-q")
    assert status == 0, printed


def test_a_failure_is_told_without_the_suite_s_own_code(author):
    source = THREE_LINES.replace('text="a b"', 'blob=b"a b"')
    printed, status = author(source, "-q")
    assert status == 1
    assert "it does not accept application/octet-stream of row:1: accepts is ('text/*',)" in printed
    assert "conformance/mine.py" not in printed


def test_without_settings_the_message_says_what_to_write(author):
    printed, status = author(THREE_LINES, "-q", settings=False)
    assert status == 1
    assert "put DJANGO_SETTINGS_MODULE = isekai_core.testing.settings into pytest.ini" in printed


ON_A_TEST_DATABASE = """
    import pytest
    from django.db import connection
    from isekai_core import Key, Seed, seeder
    from isekai_core.testing import SeederConformance

    class TestGroups(SeederConformance):
        @pytest.fixture
        def processor(self, db):
            from django.contrib.auth.models import Group
            Group.objects.create(name="editors")
            assert ".test." in connection.settings_dict["NAME"]

            @seeder(version="1")
            def groups():
                for name in Group.objects.values_list("name", flat=True):
                    yield Seed(Key("row", name))

            return groups
"""


def test_a_fixture_that_a_suite_is_given_is_at_work_in_the_test_database(tmp_path, project_environment):
    (tmp_path / "test_it.py").write_text(dedent(ON_A_TEST_DATABASE))
    (tmp_path / "pytest.ini").write_text("[pytest]\nDJANGO_SETTINGS_MODULE = isekai_core.testing.settings\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "gives_seeds", "test_it.py"],
        cwd=tmp_path,
        env=project_environment | {"ISEKAI_TEST_DATABASE": "sqlite"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout
