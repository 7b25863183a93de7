"""`types/protocols.py`: who accepts what."""

import subprocess
import sys

import pytest

from isekai_core.types import Key, accepts_key, accepts_name


@pytest.mark.parametrize(
    ("patterns", "name", "accepted"),
    [
        (("text/html",), "text/html", True),
        (("text/html",), "TEXT/HTML", True),
        (("text/html",), "text/html5", False),
        (("image/*",), "image/png", True),
        (("Image/*",), "image/png", True),
        (("image/*",), "text/html", False),
        (("*",), "anything", True),
        (("text/html", "image/*"), "image/gif", True),
        (("blog.*",), "blog.Article", True),
        (("blog.Article",), "blog.article", True),
        ((), "text/html", False),
    ],
)
def test_patterns_with_wildcards(patterns, name, accepted):
    assert accepts_name(patterns, name) is accepted


class Plain:
    accepts = ("url",)


class Choosy(Plain):
    def handles(self, key):
        return key.value.endswith("/a")


class Everything:
    accepts = ("*",)


def test_an_extractor_accepts_the_types_that_it_declares():
    assert accepts_key(Plain(), Key("url", "https://old.example.org/"))
    assert not accepts_key(Plain(), Key("file", "a"))
    assert accepts_key(Everything(), Key("file", "a"))


def test_an_extractor_may_look_closer():
    assert accepts_key(Choosy(), Key("url", "https://old.example.org/a"))
    assert not accepts_key(Choosy(), Key("url", "https://old.example.org/b"))
    assert not accepts_key(Choosy(), Key("file", "x/a"))


def test_the_types_need_neither_django_nor_pluggy():
    script = "import sys, isekai_core.types; print([name for name in ('django', 'pluggy') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
