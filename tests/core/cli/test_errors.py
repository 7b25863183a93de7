"""`cli/errors.py`: failures by cause, errors of seeders, and links that were left as they were."""

import json

import pytest
from testapp.pipelines import Thing, article, link

from isekai_core import run
from isekai_core.cli.main import main
from isekai_core.errors import ExtractError
from isekai_core.models import Resource


def isekai(capsys, *arguments):
    assert main(arguments) == 0
    return capsys.readouterr().out


def cause(name):
    return Resource.objects.get(key=f"thing:{name}").cause


def test_everything_that_is_not_loaded_is_told_with_its_reason(shelf, capsys):
    run("shelf")
    ghost, wild = cause("ghost")[:4], cause("wild")[:4]
    assert (
        isekai(capsys, "errors", "shelf")
        == f"""\
3 resources failed, 2 causes:
  {ghost}  2 failed in extract by testapp.pipelines.fetch, ExtractError
        thing:ghost
          the source has no 'ghost'
        thing:gone
          the source has no 'gone'
  {wild}  1 failed in transform by testapp.pipelines.become, ZeroDivisionError
        one by nought
          thing:wild

2 resources blocked, 1 cause:
  {ghost}  2 blocked: 1 resource that they need is failed
        thing:ghost
          the source has no 'ghost'
        so these are blocked
          thing:c
          thing:d

2 links left as they were, because what they lead to is not loaded:
  thing:gone is failed
    the source has no 'gone'
    linked from thing:e
  thing:odd is skipped
    no transformer returned a spec for it (text/plain)
    linked from thing:e

to try them again: isekai retry shelf (or --cause {ghost}), then isekai run shelf
"""
    )


def test_without_errors_that_is_said(well, capsys):
    run("shelf")
    expected = "shelf has no errors: nothing is failed, blocked or waiting for another try\n"
    assert isekai(capsys, "errors", "shelf") == expected


def test_one_cause_alone_with_what_it_blocks(shelf, capsys):
    run("shelf")
    out = isekai(capsys, "errors", "shelf", "--cause", cause("ghost")[:5])
    assert "thing:ghost" in out
    assert "2 resources blocked, 1 cause:" in out
    assert "thing:wild" not in out
    assert "links left" not in out


def test_a_cause_that_is_not_there_lists_those_there_are(shelf, capsys):
    run("shelf")
    assert main(["errors", "shelf", "--cause", "zzzz"]) == 2
    there_are = f"{cause('ghost')[:4]}, {cause('wild')[:4]}"
    assert capsys.readouterr().err == f"isekai: there is no cause 'zzzz'; there are {there_are}\n"


def test_the_traceback_is_shown_when_it_is_asked_for(shelf, capsys):
    run("shelf")
    assert "Traceback" not in isekai(capsys, "errors", "shelf")
    out = isekai(capsys, "errors", "shelf", "--traceback")
    assert out.count("Traceback (most recent call last):") >= 1
    assert "        ZeroDivisionError: one by nought" in out


def many(well):
    well.update({f"n{number:02}": Thing(text=ExtractError(f"no {number}")) for number in range(30)})
    for number in range(30):
        well[f"l{number:02}"] = Thing(article(f"l{number:02}", "ada", link("n00")), links=("n00",))
    run("shelf")


@pytest.mark.parametrize(("limit", "shown"), [((), 10), (("--limit", "3"), 3), (("--limit", "0"), 30)])
def test_so_many_resources_are_shown_for_a_cause(well, capsys, limit, shown):
    many(well)
    failed = isekai(capsys, "errors", "shelf", *limit).partition("\n\n")[0]
    assert failed.count("thing:n") == shown
    assert ("… and" in failed) == (shown < 30)


def test_a_limit_that_is_no_number_of_resources_ends_with_2(well, capsys):
    for limit in ("-1", "many"):
        assert main(["errors", "shelf", "--limit", limit]) == 2
        assert f"argument --limit: expected 0 or more, got {limit}" in capsys.readouterr().err


def test_a_limit_beyond_what_a_database_counts_shows_all(well, capsys):
    many(well)
    assert isekai(capsys, "errors", "shelf", "--limit", "9" * 30) == isekai(capsys, "errors", "shelf", "--limit", "0")


def test_of_many_links_to_one_thing_some_are_told(well, capsys):
    many(well)
    out = isekai(capsys, "errors", "shelf")
    assert "30 links left as they were" in out
    assert out.count("linked from") == 3
    assert "    … and 27 more" in out


def test_a_seeder_that_failed_is_told_with_its_traceback_when_asked(well, capsys):
    well["stop"] = RuntimeError("no more")
    run("shelf")
    out = isekai(capsys, "errors", "shelf")
    assert "1 error of seeders in the last run; what they gave before is kept:" in out
    assert "  testapp.pipelines.names, RuntimeError\n        no more\n" in out
    assert "Traceback" in isekai(capsys, "errors", "shelf", "--traceback")


def test_what_a_page_says_cannot_steer_the_terminal(well, capsys):
    well["x"] = Thing(ValueError("\x1b]0;title\x07 \x9b2J"))
    run("shelf")
    out = isekai(capsys, "errors", "shelf", "--traceback")
    assert "\\x1b]0;title\\x07 \\x9b2J" in out
    assert not set(out) & {"\x1b", "\x07", "\x9b"}


def test_a_message_of_several_lines_stays_in_its_place(well, capsys):
    well["x"] = Thing(ValueError("first\nsecond"))
    run("shelf")
    assert "        first\n        second\n          thing:x\n" in isekai(capsys, "errors", "shelf")


def test_json_holds_causes_seed_errors_and_links(shelf, capsys):
    shelf["stop"] = RuntimeError("no more")
    run("shelf")
    document = json.loads(isekai(capsys, "errors", "shelf", "--json"))
    assert (document["schema"], document["pipeline"]) == (1, "shelf")
    failed, raised, blocked = document["causes"]
    assert (failed["id"], failed["prefix"], failed["class"]) == (cause("ghost"), cause("ghost")[:4], "ExtractError")
    assert failed["examples"][0] == {"key": "thing:ghost", "message": "the source has no 'ghost'"}
    assert raised["traceback"].endswith("ZeroDivisionError: one by nought\n")
    assert (blocked["state"], blocked["blocker_state"], blocked["blockers"]) == ("blocked", "failed", 1)
    assert blocked["blocked_by"] == [{"key": "thing:ghost", "message": "the source has no 'ghost'"}]
    assert document["seed_errors"][0]["message"] == "no more"
    assert (document["links_left"]["number"], document["links_left"]["targets"]) == (2, 2)
    assert document["links_left"]["examples"][0]["sources"] == ["thing:e"]


def test_a_name_that_nobody_knows_ends_with_2(well, capsys):
    assert main(["errors", "nope"]) == 2
    assert "there is no pipeline 'nope'" in capsys.readouterr().err
