"""`plugins/options.py`: the options of a processor, from its class."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import pytest

from isekai_core.errors import OptionError
from isekai_core.plugins.options import Option, build, check_options, options_of, summary_of

if TYPE_CHECKING:
    from nowhere import OnlyForTypeCheckers

PATH = "pipelines.blog.miners[0]"


@dataclass
class Miner:
    """Finds pictures
    in pages.

    More about it.

    domains: only of these hosts,
        and of none without one.
    depth: how far.
    """

    accepts: ClassVar[tuple[str, ...]] = ("text/html",)
    secret_options: ClassVar[tuple[str, ...]] = ("token",)

    domains: Sequence[str]
    depth: int = 1
    token: str = "t0k3n"
    skip: tuple[str, ...] = field(default_factory=lambda: ("a",))

    def __post_init__(self):
        if self.depth < 0:
            msg = f"depth: expected 0 or more, got {self.depth}"
            raise ValueError(msg)


@dataclass
class FromTheEnvironment:
    """Knows its place.

    place: where.
    token: what lets us in.
    """

    secret_options: ClassVar[tuple[str, ...]] = ("token",)
    asked: ClassVar[list[str]] = []

    place: str = field(default_factory=lambda: os.environ["ACME_PLACE"])
    token: str = field(default_factory=lambda: FromTheEnvironment.asked.append("token") or "t0k3n")


class Plain:
    def __init__(self, url: str, *, limit: "int | None" = None, odd: "OnlyForTypeCheckers" = 3):
        self.given = (url, limit, odd)


class Open:
    def __init__(self, **anything):
        self.given = anything


class Bare:
    pass


def test_the_options_of_a_dataclass_are_its_fields():
    *options, skip = options_of(Miner)
    assert options == [
        Option("domains", Sequence[str], None, True, "only of these hosts, and of none without one."),
        Option("depth", int, 1, False, "how far."),
        Option("token", str, "t0k3n", False, secret=True),
    ]
    assert (skip.name, skip.annotation, skip.required, skip.shown_default()) == ("skip", tuple[str, ...], False, ("a",))


def test_what_makes_a_default_is_not_asked_for_an_option_that_is_given(monkeypatch):
    monkeypatch.delenv("ACME_PLACE", raising=False)
    FromTheEnvironment.asked.clear()
    assert build(FromTheEnvironment, {"place": "here", "token": "t"}, PATH).place == "here"
    assert FromTheEnvironment.asked == []


def test_a_default_that_cannot_be_made_here_is_told_and_stops_only_who_needs_it(monkeypatch):
    monkeypatch.delenv("ACME_PLACE", raising=False)
    place, _ = options_of(FromTheEnvironment)
    assert place.shown_default() == "made when it is needed (KeyError: 'ACME_PLACE')"
    with pytest.raises(OptionError, match="FromTheEnvironment raised KeyError: 'ACME_PLACE'"):
        build(FromTheEnvironment, {}, PATH)
    monkeypatch.setenv("ACME_PLACE", "there")
    assert place.shown_default() == "there"


def test_the_type_of_an_option_is_told_in_words():
    assert [option.type for option in options_of(Miner)] == ["list of str", "int", "str", "list of str"]


def test_the_options_of_another_class_are_the_arguments_of_its_init():
    assert [(option.name, option.required, option.default) for option in options_of(Plain)] == [
        ("url", True, None),
        ("limit", False, None),
        ("odd", False, 3),
    ]


def test_a_class_without_arguments_has_no_options():
    assert options_of(Bare) == []
    assert isinstance(build(Bare, {}, PATH), Bare)
    with pytest.raises(OptionError, match=r"x: unknown option; Bare has no options"):
        build(Bare, {"x": 1}, PATH)


def test_docs_of_a_base_class_are_inherited_and_may_be_overruled():
    @dataclass
    class Sub(Miner):
        """Another.

        depth: differently.
        """

    docs = {option.name: option.doc for option in options_of(Sub)}
    assert docs["domains"].startswith("only of these hosts")
    assert docs["depth"] == "differently."


def test_the_summary_is_the_first_paragraph_and_never_a_made_up_signature():
    @dataclass
    class Silent:
        x: int = 1

    assert summary_of(Miner) == "Finds pictures in pages."
    assert summary_of(Silent) == ""
    assert summary_of(Bare) == ""


def test_build_passes_the_options():
    miner = build(Miner, {"domains": ["a.example"], "skip": ["b"]}, PATH)
    assert (miner.domains, miner.depth, miner.skip) == (["a.example"], 1, ("b",))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"domains": "x"}, f"{PATH}.domains: expected list of str, got 'x'"),
        ({"domains": ["a", 3]}, f"{PATH}.domains[1]: expected str, got 3"),
        ({"domains": [], "depth": True}, f"{PATH}.depth: expected int, got True"),
        ({}, f"{PATH}.domains: this option is required, a value of type list of str"),
        (
            {"domain": ["a"]},
            f"{PATH}.domain: unknown option (did you mean 'domains'?); Miner knows domains, depth, token, skip",
        ),
        ({"domains": [], "depth": -1}, f"{PATH}: depth: expected 0 or more, got -1"),
        ({"domains": [], "token": 5}, f"{PATH}.token: expected str, got a value of type int"),
    ],
)
def test_what_cannot_be_right_is_told_with_its_path(given, message):
    with pytest.raises(OptionError) as caught:
        build(Miner, given, PATH)
    assert str(caught.value) == message


def test_a_secret_is_never_shown():
    with pytest.raises(OptionError) as caught:
        build(Miner, {"domains": [], "token": ["hunter2"]}, PATH)
    assert "hunter2" not in str(caught.value)


def test_a_type_that_only_a_type_checker_knows_passes():
    assert build(Plain, {"url": "u", "odd": object, "limit": None}, PATH).given[2] is object


def test_a_class_that_takes_anything_is_given_anything():
    assert build(Open, {"x": 1}, PATH).given == {"x": 1}


def test_checking_makes_nothing():
    assert check_options(Miner, {"domains": ("a",), "depth": -1}, PATH) == {"domains": ("a",), "depth": -1}


def test_a_docstring_that_is_no_text_is_none():
    class Odd:
        __doc__ = 5

        def __init__(self, url: str) -> None:
            pass

    assert summary_of(Odd) == ""
    assert [option.doc for option in options_of(Odd)] == [""]


def test_a_class_that_exits_while_it_is_made_is_refused_with_its_text():
    class Exits:
        def __init__(self) -> None:
            raise SystemExit(3)

    with pytest.raises(OptionError, match=r"p\.miners\[0\]: .*Exits raised SystemExit: 3"):
        build(Exits, {}, "p.miners[0]")
