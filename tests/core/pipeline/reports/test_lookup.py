"""`pipeline/reports/lookup.py`: a resource by what somebody types, and what is like it when there is none."""

import pytest

from isekai_core import Key
from isekai_core.errors import ConfigurationError
from isekai_core.models import Resource
from isekai_core.pipeline.reports.lookup import find_resource, key_of, near_keys, with_key


def make(text, pipeline="blog"):
    key = Key.parse(text)
    return Resource.objects.create(pipeline=pipeline, key=str(key), key_hash=key.digest)


@pytest.fixture
def site(db):
    return [
        make(f"url:https://old.example.org/{path}")
        for path in ("", "articles/a.html", "articles/b.html", "images/a.png", "images/harbour%20wall.jpg")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "url:https://old.example.org/articles/a.html",
        "https://old.example.org/articles/a.html",
        "HTTPS://OLD.example.org:443/articles/x/../a.html#top",
    ],
)
def test_a_resource_is_found_by_its_key_or_its_address_in_any_spelling(site, text):
    assert find_resource(text) == site[1]


def test_a_key_of_another_type_is_found(db):
    row = make("row:shop/7")
    assert find_resource("row:shop/7") == row


@pytest.mark.parametrize("text", ["", "articles", "Not:a key", "url:nothing", "https://[broken"])
def test_what_is_no_key_is_no_error_by_itself(db, text):
    assert key_of(text) is None
    assert not with_key(text, Resource.objects.all())


def test_a_key_of_several_pipelines_asks_for_one(site):
    other = make("url:https://old.example.org/", "second")
    with pytest.raises(ConfigurationError, match="in more than one pipeline: blog, second; choose with --pipeline"):
        find_resource("https://old.example.org/")
    assert find_resource("https://old.example.org/", "second") == other


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("https://old.example.org/articles/a.htm", "url:https://old.example.org/articles/a.html"),
        ("http://old.example.org/articles/a.html", "url:https://old.example.org/articles/a.html"),
        ("https://new.example.org/pages/b.html", "url:https://old.example.org/articles/b.html"),
        ("https://old.example.org/images/a.gif", "url:https://old.example.org/images/a.png"),
        ("https://old.example.org/images/zebra.gif", "url:https://old.example.org/images/a.png"),
        ("Articles/A", "url:https://old.example.org/articles/a.html"),
        ("wall", "url:https://old.example.org/images/harbour%20wall.jpg"),
    ],
)
def test_of_what_is_not_there_the_likest_keys_are_named(site, text, first):
    assert near_keys(text, Resource.objects.all())[0] == first
    with pytest.raises(ConfigurationError) as caught:
        find_resource(text)
    assert str(caught.value).startswith(f"there is no resource {text!r}; there are:\n  {first}")


def test_five_are_named_at_most(db):
    for number in range(20):
        make(f"row:shop/{number}")
    assert len(near_keys("row:shop/x", Resource.objects.all())) == 5


def test_only_the_pipeline_that_was_asked_for_is_looked_at(site):
    make("row:1", "second")
    with pytest.raises(ConfigurationError, match=r"there is no resource 'articles/a.html' in second, nor one that"):
        find_resource("articles/a.html", "second")


def test_where_nothing_was_seeded_that_is_the_reason(db):
    with pytest.raises(ConfigurationError, match="nothing has been seeded yet"):
        find_resource("https://old.example.org/")


def test_what_has_a_meaning_in_a_search_is_taken_literally(site):
    assert near_keys("%", Resource.objects.all()) == ["url:https://old.example.org/images/harbour%20wall.jpg"]
    assert near_keys("_", Resource.objects.all()) == []
