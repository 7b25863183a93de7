"""`cli/show.py`: everything about one resource, for people and for machines."""

import json

import pytest
from django.utils import timezone
from testapp.models import Article
from testapp.pipelines import Thing, author

from isekai_core import Payload, run
from isekai_core.cli.main import main
from isekai_core.models import Resource, Step


def isekai(capsys, *arguments):
    assert main(arguments) == 0
    return capsys.readouterr().out


def section(out, title):
    """The lines under a title, without their indent."""
    text = next(part for part in out.split("\n\n") if part.startswith(title))
    return [line.strip() for line in text.splitlines()[1:]]


def test_a_resource_that_is_loaded_is_told_from_seed_to_row(well, capsys):
    run("shelf")
    out = isekai(capsys, "show", "thing:a")
    pk = Article.objects.get(slug="a").pk
    assert out.startswith("thing:a\n  pipeline   shelf\n  completed  loaded (the last stage)\n  state      done\n")
    assert section(out, "who did what") == [
        "seed       testapp.pipelines.names (1)",
        "extract    testapp.pipelines.fetch (1)",
        "mine       testapp.pipelines.links (1)",
        "transform  testapp.pipelines.become (1)",
        "load       isekai-core/models (isekai-core 0.1.0)",
    ]
    assert section(out, "payload: text, text/plain, utf-8, 6 bytes") == ["a text"]
    assert section(out, "metadata") == ['seed       {shelf: "upper"}']
    assert section(out, "found in (1)") == ['thing:b  done, {found: "here"}']
    assert section(out, "finds (1)") == ['thing:b  done, {found: "here"}']
    assert section(out, "spec of testapp.Article, matched by slug") == [
        'slug    "a"',
        'title   "A"',
        "author  → thing:ada",
        'body    "see [→ thing:b (url)]"',
    ]
    assert sorted(section(out, "refers to (2)")) == ["thing:ada  hard ref, done", "thing:b  soft ref, done"]
    assert section(out, "referred to by (1)") == ["thing:b  soft ref, done"]
    assert section(out, f"became testapp.Article {pk}") == ["A", "/articles/a/"]


def test_a_resource_that_failed_is_told_with_reason_and_traceback(shelf, capsys):
    run("shelf")
    out = isekai(capsys, "show", "thing:wild")
    assert "  message    one by nought\n" in out
    assert "  stopped    in transform by testapp.pipelines.become, ZeroDivisionError\n" in out
    assert f"  cause      {Resource.objects.get(key='thing:wild').cause}\n" in out
    assert "    ZeroDivisionError: one by nought\n" in out


def test_a_resource_that_is_blocked_names_what_blocks_it(shelf, capsys):
    run("shelf")
    out = isekai(capsys, "show", "thing:c")
    assert "  message    needs thing:ghost, which is not loaded\n" in out
    assert "  blocked by thing:ghost, which is failed\n" in out


def test_what_no_processor_took_is_said(shelf, capsys):
    run("shelf")
    assert "transform  no processor took it" in section(isekai(capsys, "show", "thing:odd"), "who did what")


def test_several_miners_are_told_under_one_stage_each_with_its_plugin(well, capsys):
    run("shelf")
    first = Step.objects.get(stage="mine", processor="testapp.pipelines.links")
    Step.objects.create(
        pipeline="shelf", stage="mine", processor="acme/links", plugin="acme", version="2.0", chain=first.chain
    )
    told = section(isekai(capsys, "show", "thing:a"), "who did what")
    assert told[2:5] == [
        "mine       testapp.pipelines.links (1)",
        "acme/links (acme 2.0)",
        "transform  testapp.pipelines.become (1)",
    ]


def test_json_has_plugin_version_and_processor_of_every_stage(well, capsys):
    run("shelf")
    told = json.loads(isekai(capsys, "show", "thing:a", "--json"))["provenance"]
    assert [(one["stage"], one["processor"], one["plugin"], one["version"]) for one in told] == [
        ("seed", "testapp.pipelines.names", "", "1"),
        ("extract", "testapp.pipelines.fetch", "", "1"),
        ("mine", "testapp.pipelines.links", "", "1"),
        ("transform", "testapp.pipelines.become", "", "1"),
        ("load", "isekai-core/models", "isekai-core", "0.1.0"),
    ]


def test_attempts_redirects_versions_and_the_next_try_are_told(well, capsys):
    run("shelf")
    due = timezone.now()
    Resource.objects.filter(key="thing:a").update(
        attempts=2, next_attempt_at=due, version="2026-01-31", alias_of=Resource.objects.get(key="thing:b")
    )
    out = isekai(capsys, "show", "thing:a")
    assert "  attempts   2\n" in out
    assert f"  next try   {due:%Y-%m-%d %H:%M:%S}\n" in out
    assert "  version    2026-01-31\n" in out
    assert "  redirects  to thing:b\n" in out


def test_of_a_long_payload_the_first_lines_are_shown_and_none_runs_on(well, capsys):
    well["a"].text = Payload.from_text("\n".join(["x" * 1000, *(f"line {number}" for number in range(50))]))
    run("shelf")
    shown = section(isekai(capsys, "show", "thing:a"), "payload")
    assert len(shown) == 11
    assert shown[0] == "x" * 160 + "…"
    assert shown[-1] == "…"


def test_a_blob_is_told_by_its_type_and_size_only(well, capsys):
    well["a"].text = Payload.from_blob(b"\x89PNG" * 1000, "image/png")
    run("shelf")
    assert section(isekai(capsys, "show", "thing:a"), "payload: blob, image/png, 3.9 KB") == []


def test_of_many_links_some_are_told(well, capsys):
    names = [f"n{number}" for number in range(30)]
    well["a"].links = tuple(names)
    well.update({name: Thing(author(name), is_seed=False) for name in names})
    run("shelf")
    links = section(isekai(capsys, "show", "thing:a"), "finds (30)")
    assert len(links) == 11
    assert links[-1] == "… and 20 more"


def test_what_a_page_says_cannot_steer_the_terminal(well, capsys):
    well["a"].text = Payload.from_text("\x1b[2J", "text/\x1b[2J")
    well["a"].spec = ValueError("\x1b[2J")
    run("shelf")
    out = isekai(capsys, "show", "thing:a")
    assert out.count("\\x1b[2J") >= 3
    assert "\x1b" not in out


def test_json_has_every_key_and_the_spec_as_it_is_stored(well, capsys):
    run("shelf")
    document = json.loads(isekai(capsys, "show", "thing:a", "--json"))
    assert list(document) == [
        "schema",
        "key",
        "pipeline",
        "stage",
        "state",
        "message",
        "depth",
        "version",
        "alias_of",
        "blocked_by",
        "error",
        "cause",
        "traceback",
        "attempts",
        "next_attempt_at",
        "created_at",
        "updated_at",
        "provenance",
        "payload",
        "metadata",
        "spec",
        "target",
        "found_in",
        "finds",
        "refers_to",
        "referred_by",
    ]
    assert document["spec"]["values"]["author"]["key"] == "thing:ada"
    assert document["payload"]["text"] == "a text"
    assert document["target"]["address"] == "/articles/a/"
    assert document["finds"]["shown"][0]["metadata"] == {"found": "here"}


def test_json_of_what_was_only_seeded_has_the_same_keys(well, capsys):
    run("shelf")
    whole = json.loads(isekai(capsys, "show", "thing:a", "--json"))
    Resource.objects.create(pipeline="bare", key="thing:x", key_hash=Resource.objects.first().key_hash[::-1])
    run("shelf", start="seed")
    well["late"] = Thing(author("late"))
    run("shelf", until="seed")
    bare = json.loads(isekai(capsys, "show", "thing:late", "--json"))
    assert list(bare) == list(whole)
    assert (bare["payload"], bare["spec"], bare["target"]) == (None, None, None)


@pytest.mark.parametrize("text", ["thing:aa", "aa", "Thing:AA"])
def test_a_key_that_is_not_there_ends_with_2_and_near_ones(shelf, capsys, text):
    shelf["aaa"] = Thing(author("aaa"))
    run("shelf")
    assert main(["show", text]) == 2
    assert capsys.readouterr().err.startswith(f"isekai: there is no resource {text!r}; there are:\n  thing:aaa\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "thing:caf\udce9"),
        ("show", "thing:a", "--pipeline", "caf\udce9"),
        ("retry", "shelf", "thing:caf\udce9"),
        ("errors", "caf\udce9"),
        ("status", "caf\udce9"),
    ],
)
def test_a_byte_that_is_none_of_the_terminals_names_nothing_that_there_is(well, capsys, arguments):
    run("shelf")
    assert main(arguments) == 2
    assert "caf\ufffd" in capsys.readouterr().err


def test_a_key_of_two_pipelines_asks_for_one(well, capsys):
    run("shelf")
    row = Resource.objects.get(key="thing:a")
    Resource.objects.create(pipeline="other", key=row.key, key_hash=row.key_hash)
    assert main(["show", "thing:a"]) == 2
    assert "in more than one pipeline: other, shelf; choose with --pipeline" in capsys.readouterr().err
    assert "  pipeline   other\n" in isekai(capsys, "show", "thing:a", "--pipeline", "other")
