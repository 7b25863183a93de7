"""`problems_of`: each thing that a class can declare wrongly is named, and how to put it right."""

import functools
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from isekai_core.testing import problems_of
from isekai_core.types import KINDS


@dataclass
class Sound:
    """Does all there is to do.

    url: where.
    timeout: seconds, which
        may be few.
    headers: further ones.
    max_tokens: a number, and no secret.
    """

    accepts: ClassVar[Sequence[str]] = ("text/html", "image/*", "*")
    version: ClassVar[str] = "1"
    neutral_options: ClassVar[Sequence[str]] = ("timeout",)
    secret_options: ClassVar[Sequence[str]] = ("headers",)

    url: str
    timeout: float = 30.0
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    max_tokens: int | None = None
    _ready: bool = field(init=False, default=False)

    def seed(self):
        yield

    def mine(self, resource):
        yield

    def transform(self, resource):
        return None

    def extract(self, resource):
        return None

    def plan(self, items):
        pass

    def write(self, items):
        pass


def variant(**names):
    return type("Variant", (Sound,), {"__doc__": "Breaks one thing.", **names})


def with_arguments(init, doc="Breaks one thing."):
    return type("Variant", (), {"__doc__": doc, "__init__": init, "accepts": ("*",), "mine": lambda self, resource: ()})


@pytest.mark.parametrize(
    ("kind", "accepts"),
    [("seeder", None), ("extractor", ("url",)), ("miner", ("text/*",)), ("transformer", ("*",)), ("loader", ("*",))],
)
def test_a_sound_one_has_no_problems(kind, accepts):
    assert problems_of(kind, variant(accepts=accepts)) == []


def test_an_unknown_kind_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match=r"kind is one of seeder, .*, slice_target, got .slicer."):
        problems_of("slicer", Sound)


def test_what_is_no_class_is_named():
    assert problems_of("miner", len) == [
        "<built-in function len> is no class but a builtin_function_or_method: register the class of the miner"
    ]


@pytest.mark.parametrize("doc", [None, "", "   "])
def test_a_missing_docstring(doc):
    assert problems_of("miner", variant(__doc__=doc)) == ["it has no docstring: say in its first line what it does"]


def test_the_docstring_that_a_dataclass_makes_is_none():
    @dataclass
    class Bare:
        accepts: ClassVar = ("*",)

        def mine(self, resource):
            return ()

    assert problems_of("miner", Bare) == ["it has no docstring: say in its first line what it does"]


# Methods


class NoMethod:
    """Does nothing."""

    accepts = ("*",)


@pytest.mark.parametrize(
    ("kind", "methods"),
    [
        ("seeder", ["seed(): write def seed(self)"]),
        ("extractor", ["extract(): write def extract(self, resource)"]),
        ("miner", ["mine(): write def mine(self, resource)"]),
        ("transformer", ["transform(): write def transform(self, resource)"]),
        ("loader", ["plan(): write def plan(self, items)", "write(): write def write(self, items)"]),
    ],
)
def test_a_missing_method(kind, methods):
    found = [line for line in problems_of(kind, NoMethod) if "method" in line]
    assert found == [f"it has no method {method}" for method in methods]


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (lambda self: (), "mine() cannot be called with resource alone: too many positional arguments"),
        (lambda self, resource, page: (), "with resource alone: missing a required argument: 'page'"),
        (lambda self, resource, *, page: (), "with resource alone: missing a required"),
        (staticmethod(lambda: ()), "with resource alone: too many positional arguments"),
        (classmethod(lambda cls: ()), "with resource alone: too many positional arguments"),
        ("mine", "mine is no method but a str"),
    ],
)
def test_a_method_that_takes_something_else(mine, words):
    [problem] = problems_of("miner", variant(mine=mine))
    assert words in problem


@pytest.mark.parametrize(
    "mine",
    [
        lambda self, resource: (),
        lambda self, resource, page=None: (),
        lambda self, *everything: (),
        staticmethod(lambda resource: ()),
        classmethod(lambda cls, resource: ()),
        functools.partialmethod(lambda self, how, resource: (), "quickly"),
        property(lambda self: len),
    ],
)
def test_a_method_that_can_be_called_as_it_is(mine):
    assert problems_of("miner", variant(mine=mine)) == []


def test_a_seeder_takes_nothing():
    [problem] = problems_of("seeder", variant(seed=lambda self, url: ()))
    assert problem == "seed() cannot be called without arguments: missing a required argument: 'url'"


async def coroutine(self, resource):
    return ()


async def asynchronous_generator(self, resource):
    yield


def generator(self, resource):
    yield


@pytest.mark.parametrize(
    ("kind", "name"), [("miner", "mine"), ("transformer", "transform"), ("loader", "plan"), ("loader", "write")]
)
def test_only_extract_may_be_a_coroutine_function(kind, name):
    [problem] = problems_of(kind, variant(accepts=("*",), **{name: coroutine}))
    assert problem == f"{name}() is a coroutine function, and only extract() may be one: write def, not async def"
    assert problems_of("extractor", variant(accepts=("url",), extract=coroutine)) == []


@pytest.mark.parametrize(("kind", "name"), [("miner", "mine"), ("transformer", "transform"), ("extractor", "extract")])
def test_nobody_iterates_an_asynchronous_generator(kind, name):
    [problem] = [line for line in problems_of(kind, variant(**{name: asynchronous_generator})) if "accepts" not in line]
    assert problem.startswith(f"{name}() is an asynchronous generator, which nobody iterates: ")


def test_a_seeder_that_is_an_asynchronous_generator_is_not_iterated_either():
    async def seed(self):
        yield

    [problem] = problems_of("seeder", variant(seed=seed))
    assert problem == "seed() is an asynchronous generator, which nobody iterates: write def with yield"


@pytest.mark.parametrize(("kind", "name"), [("transformer", "transform"), ("loader", "plan"), ("loader", "write")])
def test_a_generator_where_something_is_returned(kind, name):
    found = problems_of(kind, variant(accepts=("*",), **{name: generator}))
    assert found == [f"{name}() is a generator: use return, not yield"]


async def asks(self, key):
    return True


@pytest.mark.parametrize(
    ("handles", "problem"),
    [
        (asks, "handles() is a coroutine function, and only extract() may be one: write def, not async def"),
        (lambda self: True, "handles() cannot be called with key alone: too many positional arguments"),
    ],
)
def test_what_takes_a_closer_look_at_keys_is_looked_at_too(handles, problem):
    assert problems_of("extractor", variant(accepts=("url",), handles=handles)) == [problem]
    assert problems_of("miner", variant(accepts=("text/*",), handles=handles)) == []


def test_a_context_manager_that_is_never_entered():
    both = {"__aenter__": coroutine, "__aexit__": coroutine}
    assert problems_of("extractor", variant(accepts=("url",), extract=coroutine, **both)) == []
    [problem] = problems_of("extractor", variant(accepts=("url",), **both))
    assert problem == "it has __aenter__, and extract() is no coroutine function: it would never be entered"
    [problem] = problems_of("miner", variant(**both))
    assert problem == "it has __aenter__, and it is a miner: it would never be entered"
    [problem] = problems_of("extractor", variant(accepts=("url",), extract=coroutine, __aenter__=coroutine))
    assert problem == "it has __aenter__ alone: an asynchronous context manager has both"


# Options


def test_a_version_that_is_no_text():
    assert problems_of("miner", variant(version=2)) == ["version is 2, expected a text: write '2'"]
    assert problems_of("miner", variant(version=property(lambda self: "2"))) == []


def test_an_option_called_version_is_no_declaration():
    def init(self, version: str | None = None) -> None:
        self.version = version

    cls = with_arguments(init, "Has a version.\n\nversion: the column.")
    cls.version = None
    assert problems_of("miner", cls) == []


@pytest.mark.parametrize("name", ["neutral_options", "secret_options"])
def test_names_of_options_that_are_none(name):
    [problem] = problems_of("miner", variant(**{name: ("timout",)}))
    assert problem.startswith(
        f"{name} names 'timout', which is no option (did you mean 'timeout'?); the options are url"
    )
    [problem] = problems_of("miner", variant(**{name: "url"}))
    assert problem == f"{name} is the text 'url', expected several: write ('url',)"
    [problem] = problems_of("miner", variant(**{name: 1}))
    assert problem == f"{name} is 1, expected the names of options, such as ('timeout',)"


def test_names_of_options_where_there_are_none():
    class Bare:
        """Does nothing."""

        neutral_options = ("timeout",)

        def seed(self):
            return ()

    assert problems_of("seeder", Bare) == ["neutral_options names 'timeout', which is no option; it has no options"]


def test_where_any_option_may_be_given_any_may_be_named():
    def init(self, **options: Any) -> None: ...

    cls = with_arguments(init)
    cls.secret_options = ("whatever",)
    assert problems_of("miner", cls) == []


def test_an_option_without_a_type():
    def init(self, url, timeout: float = 1) -> None: ...

    found = problems_of("miner", with_arguments(init, "Does.\n\nurl: where.\ntimeout: seconds."))
    assert found == ["option 'url' has no type: annotate it, for example url: str"]


def test_an_option_whose_type_is_not_there_at_run_time():
    def init(self, url: "NowhereToBeFound") -> None: ...  # noqa: F821

    [problem] = problems_of("miner", with_arguments(init, "Does.\n\nurl: where."))
    assert problem.startswith("option 'url': its type 'NowhereToBeFound' is not there at run time: import it outside")


def test_an_option_without_a_line_in_the_docstring():
    def init(self, url: str, timeout: float = 1) -> None: ...

    found = problems_of("miner", with_arguments(init, "Does.\n\ntimeout: seconds."))
    assert found == ["option 'url' is not in the docstring: add a line 'url: …' that says what it is"]


@pytest.mark.parametrize("name", ["token", "password", "client_secret", "API_KEY", "api_key_file", "access_tokens"])
def test_an_option_that_looks_like_a_secret(name):
    namespace = {}
    exec(f"def init(self, {name}: str | None = None): ...", namespace)
    cls = with_arguments(namespace["init"], f"Does.\n\n{name}: whatever.")
    found = f"option {name!r} looks like a secret, and would be shown: name it in secret_options"
    assert problems_of("miner", cls) == [found]
    cls.secret_options = (name,)
    assert problems_of("miner", cls) == []


def test_arguments_that_no_pipeline_can_give():
    def init(self, url: str, /, *more: str) -> None: ...

    assert problems_of("miner", with_arguments(init)) == [
        "the argument 'url' cannot be given by name, and options are: take the / away",
        "it takes *more, which no pipeline can give: name each option",
    ]


def test_a_class_whose_signature_cannot_be_read_is_a_problem_and_no_error():
    class Meta(type):
        @property
        def __signature__(cls):
            msg = "no"
            raise RuntimeError(msg)

    odd = Meta("Odd", (Sound,), {"__doc__": "Is odd."})
    assert problems_of("miner", odd) == ["its options cannot be read: RuntimeError: no"]


def test_every_problem_is_one_line_in_lower_case():
    class Worst:
        accepts = "Text/HTML"
        produces = (1, "URL", "text/html; x")
        version = 1
        secret_options = "token"
        neutral_options = ("x",)

        def __init__(self, token, /, password, *rest): ...

        async def mine(self): ...

    found = problems_of("miner", Worst)
    assert len(found) > 8
    assert [line for line in found if "\n" in line or line[0].isupper() or line.endswith(".")] == []


def test_it_needs_neither_pytest_nor_a_django_project():
    code = "import sys, isekai_core.testing.declared; print({'pytest', 'django'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_every_kind_of_the_contract_is_known():
    assert all(problems_of(kind, NoMethod) for kind in KINDS)
