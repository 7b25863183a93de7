"""`pipeline/reports/details.py`: everything about one resource, a bounded amount of it, whatever is broken."""

import pytest
from testapp.models import Article
from testapp.pipelines import Thing, article, author

from isekai_core import Payload, run
from isekai_core.models import Payload as PayloadRow
from isekai_core.models import Resource
from isekai_core.pipeline.reports.details import Preview, Target, details_of


def row(name):
    return Resource.objects.get(key=f"thing:{name}")


def preview(well, payload, limit=10):
    well["a"].text = payload
    run("shelf", until="transform")
    return details_of(row("a"), text_limit=limit).payload


def test_who_did_each_stage_is_told_in_their_order(well):
    run("shelf")
    told = [(step.stage, step.processor, step.plugin) for step in details_of(row("a")).provenance]
    assert told == [
        ("seed", "testapp.pipelines.names", ""),
        ("extract", "testapp.pipelines.fetch", ""),
        ("mine", "testapp.pipelines.links", ""),
        ("transform", "testapp.pipelines.become", ""),
        ("load", "isekai-core/models", "isekai-core"),
    ]


def test_a_stage_that_is_not_done_is_missing(shelf):
    run("shelf")
    assert [step.stage for step in details_of(row("ghost")).provenance] == ["extract"]


def test_a_short_text_is_there_as_a_whole(well):
    found = preview(well, Payload.from_text("hi", "text/html"))
    assert (found.kind, found.media_type, found.charset, found.size) == ("text", "text/html", "utf-8", 2)
    assert (found.text, found.is_whole) == ("hi", True)


def test_of_a_long_text_the_beginning_is_there_and_no_character_is_broken(well):
    found = preview(well, Payload.from_text("é" * 100), limit=5)
    assert (found.text, found.is_whole) == ("éé", False)


def test_a_text_is_decoded_by_its_charset_and_what_is_not_of_it_is_marked(well):
    assert preview(well, Payload.from_text("é".encode("latin-1"), charset="latin-1")).text == "é"
    assert details_of(row("b")).payload.text == "a text"


def test_bytes_that_are_not_of_the_charset_are_marked(well):
    assert preview(well, Payload.from_text(b"a\xff", charset="utf-8")).text == "a\ufffd"


@pytest.mark.parametrize("charset", ["undefined", "idna", "base64", "rot13", "x-nobody-knows"])
def test_a_text_whose_charset_reads_none_is_shown_as_utf_8(well, charset):
    assert preview(well, Payload.from_text("é".encode(), charset=charset)).text == "é"


def test_a_record_is_indented(well):
    found = preview(well, Payload.from_record({"name": "Ada"}), limit=1000)
    assert (found.kind, found.text) == ("record", '{\n  "name": "Ada"\n}')


def test_a_blob_has_no_text(well):
    found = preview(well, Payload.from_blob(b"\x89PNG", "image/png"))
    assert (found.kind, found.size, found.text) == ("blob", 4, None)


def test_a_large_text_in_the_storage_is_read_only_as_far_as_it_is_shown(well, settings):
    settings.ISEKAI = {"INLINE_LIMIT": 10}
    found = preview(well, Payload.from_text("x" * 1000), limit=20)
    assert (found.text, found.size) == ("x" * 20, 1000)
    assert PayloadRow.objects.get(pk=row("a").payload_id).blob


def test_a_file_that_was_lost_is_told(well, settings, tmp_path):
    settings.ISEKAI = {"INLINE_LIMIT": 10}
    well["a"].text = Payload.from_text("x" * 1000)
    run("shelf", until="transform")
    for path in (tmp_path / "media").rglob("*"):
        if path.is_file():
            path.unlink()
    found = details_of(row("a"))
    assert found.payload.text is None
    assert found.payload.problem.startswith("cannot be read: ")
    assert found.spec.startswith("cannot be read: ")


def test_what_was_not_extracted_has_no_payload_and_no_spec(shelf):
    run("shelf")
    found = details_of(row("ghost"))
    assert (found.payload, found.spec, found.target) == (None, None, None)


def test_the_spec_is_there_as_it_is_stored(well):
    run("shelf")
    spec = details_of(row("a")).spec
    assert (spec["model"], spec["match"]) == ("testapp.Article", ["slug"])
    assert spec["values"]["author"] == {"$": "ref", "key": "thing:ada", "attr": "pk", "soft": False}


def test_a_very_large_spec_is_not_read(well):
    well["a"].spec = article("a", "ada", "x" * (2 * 1024 * 1024))
    run("shelf", until="transform")
    assert details_of(row("a")).spec.startswith("too large to be shown: 2097")


def test_what_the_seeder_said_is_there(well):
    run("shelf")
    assert details_of(row("a")).metadata == {"seed": {"shelf": "upper"}}


def test_links_are_told_in_all_four_directions(well):
    run("shelf")
    found = details_of(row("a"))

    def told(links):
        return [(link.key, link.stage, link.state, link.ref, link.metadata) for link in links.shown]

    assert told(found.found_in) == [("thing:b", "loaded", "done", "", {"found": "here"})]
    assert told(found.finds) == [("thing:b", "loaded", "done", "", {"found": "here"})]
    assert sorted(told(found.refers_to)) == [
        ("thing:ada", "loaded", "done", "hard", None),
        ("thing:b", "loaded", "done", "soft", None),
    ]
    assert told(found.referred_by) == [("thing:b", "loaded", "done", "soft", None)]


def test_of_many_links_some_are_read_and_all_are_counted(well, django_assert_max_num_queries):
    names = [f"n{number}" for number in range(30)]
    well["a"].links = tuple(names)
    well.update({name: Thing(author(name), is_seed=False) for name in names})
    run("shelf")
    with django_assert_max_num_queries(14):
        finds = details_of(row("a"), links_limit=10).finds
    assert (finds.number, len(finds.shown)) == (30, 10)


def test_the_row_is_told_with_its_name_and_its_address(well):
    run("shelf")
    pk = str(Article.objects.get(slug="a").pk)
    assert details_of(row("a")).target == Target("testapp.Article", pk, "A", "/articles/a/")


def refuse(self):
    msg = "not today"
    raise RuntimeError(msg)


def test_a_row_whose_own_code_fails_is_told_as_far_as_it_goes(well, monkeypatch):
    run("shelf")
    monkeypatch.setattr(Article, "__str__", refuse)
    monkeypatch.setattr(Article, "get_absolute_url", refuse)
    target = details_of(row("a")).target
    assert (target.name, target.address, target.problem) == ("", "", "")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"target_pk": "999999"}, "the row is not there any more"),
        ({"target_model": "testapp.Gone"}, "there is no model 'testapp.Gone'"),
        ({"target_pk": "not a number"}, "expected a number"),
    ],
)
def test_a_row_that_cannot_be_shown_says_why(well, changes, problem):
    run("shelf")
    Resource.objects.filter(key="thing:a").update(**changes)
    assert problem in details_of(row("a")).target.problem


def test_a_preview_without_trouble_has_no_problem():
    assert Preview("text", "text/plain", "utf-8", 1, "", "a", is_whole=True).problem == ""
