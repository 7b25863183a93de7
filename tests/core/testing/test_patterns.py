"""`accepts` and `produces`: of the right form, of the right sort, and asked of an instance where only that has them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pytest

from isekai_core.testing.patterns import is_set_on_instances, problems_of_patterns


def problems(kind, **names):
    return list(problems_of_patterns(kind, type("Declares", (), names)))


@pytest.mark.parametrize(
    ("kind", "accepts"),
    [
        ("extractor", ("url", "my-rows_2")),
        ("extractor", ["*"]),
        ("miner", ("text/html", "image/*", "*/*", "application/vnd.acme+json")),
        ("transformer", ("*",)),
        ("loader", ("*", "blog.*", "blog.Article", "blog.Art*")),
        ("seeder", None),
    ],
)
def test_what_can_fit_is_no_problem(kind, accepts):
    assert problems(kind, accepts=accepts) == []


@pytest.mark.parametrize(
    ("kind", "produces"),
    [
        ("seeder", ("url", "text/html", "*")),
        ("miner", ("url", "image/png")),
        ("extractor", ("*/*",)),
        ("transformer", ("blog.*", "*")),
        ("transformer", ()),
        ("loader", "anything"),
    ],
)
def test_what_can_be_given_is_no_problem(kind, produces):
    assert problems(kind, accepts=("*",), produces=produces) == []


@pytest.mark.parametrize(
    ("kind", "example"), [("extractor", "'url'"), ("miner", "'text/html'"), ("loader", "'blog.Article'")]
)
def test_accepts_is_needed_but_for_seeders(kind, example):
    [problem] = problems(kind)
    assert problem.startswith("it has no accepts: say which ")
    assert problem.endswith(f"for example accepts = ({example},)")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("text/html", "accepts is the text 'text/html', expected several: write ('text/html',)"),
        ((), "accepts is empty, so that it is never asked"),
        (7, "accepts is 7, expected a list or a tuple such as ('text/html',)"),
        ({"text/html"}, "accepts is {'text/html'}, expected a list or a tuple"),
        ((b"text/html",), "accepts holds b'text/html', expected texts"),
        (("",), "accepts holds '', expected texts"),
        (("html",), "accepts names 'html': a media type is written 'text/html', all of one sort 'text/*'"),
        (("Text/HTML",), "accepts names 'Text/HTML': media types are in lower case: write 'text/html'"),
        (("text/html; charset=utf-8",), "a media type holds no spaces and no parameters"),
        (("text /html",), "a media type holds no spaces and no parameters"),
    ],
)
def test_media_types_that_never_fit(value, words):
    [problem] = problems("miner", accepts=value)
    assert words in problem


@pytest.mark.parametrize("name", ["URL", "url:*", "text/html", "a b", "ü"])
def test_key_types_that_never_fit(name):
    assert problems("extractor", accepts=(name,)) == [
        f"accepts names {name!r}: a key type is a short lower-case word such as 'url'"
    ]


@pytest.mark.parametrize("name", ["Article", "blog/Article", "blog.Article.title", "*.Article"])
def test_models_that_never_fit(name):
    assert problems("loader", accepts=(name,)) == [
        f"accepts names {name!r}: a model is written 'blog.Article', all of an app 'blog.*'"
    ]


def test_what_a_seeder_produces_are_key_types_and_media_types():
    first, second = problems("seeder", produces=("URL", "text/HTML"))
    assert first == (
        "produces names 'URL': a key type is a short lower-case word such as 'url', a media type is written 'text/html'"
    )
    assert second == "produces names 'text/HTML': media types are in lower case: write 'text/html'"


class ByProperty:
    @property
    def accepts(self):
        return self.types


@dataclass
class ByPostInit:
    accepts: Sequence[str] = field(init=False)

    def __post_init__(self):
        self.accepts = ("text/html",)


@dataclass(frozen=True)
class Frozen:
    accepts: Sequence[str] = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "accepts", ("text/html",))


class ByInit:
    def __init__(self, accepts=("text/html",)):
        self.accepts = accepts


class Slotted:
    __slots__ = ("accepts",)


class Inherits(ByInit):
    pass


class SaidOnly:
    accepts: ClassVar[Sequence[str]]


@pytest.mark.parametrize("cls", [ByProperty, ByPostInit, Frozen, ByInit, Inherits, Slotted])
def test_what_only_an_instance_has_is_no_problem_of_the_class(cls):
    assert list(problems_of_patterns("miner", cls)) == []


def test_what_is_only_said_is_set_nowhere():
    assert not is_set_on_instances(SaidOnly, "accepts")
    assert len(list(problems_of_patterns("miner", SaidOnly))) == 1


@pytest.mark.parametrize("made", [ByPostInit, Frozen, ByInit])
def test_an_instance_is_asked_itself(made):
    assert list(problems_of_patterns("miner", made())) == []
    assert "accepts names 'html'" in next(iter(problems_of_patterns("miner", ByInit(("html",)))))
    assert "it has no accepts" in next(iter(problems_of_patterns("miner", Slotted())))


def test_a_property_that_raises_is_a_problem_and_no_error():
    class Broken:
        @property
        def accepts(self):
            return 1 / 0

    assert list(problems_of_patterns("miner", Broken())) == ["accepts raises ZeroDivisionError: division by zero"]
