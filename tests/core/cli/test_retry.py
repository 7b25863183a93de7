"""`cli/retry.py`: what is made ready again, what is refused, and the next command."""

import json

import pytest
from testapp.pipelines import Thing, author

from isekai_core import run
from isekai_core.cli.main import main
from isekai_core.models import Resource


@pytest.fixture
def loaded(shelf):
    return run("shelf")


def states(*names):
    return [Resource.objects.get(key=f"thing:{name}").state for name in names]


def test_without_more_everything_that_is_failed_or_blocked(loaded, capsys):
    assert main(["retry", "shelf"]) == 0
    assert capsys.readouterr().out == "5 resources ready to be tried again; isekai run shelf\n"
    assert states("ghost", "wild", "c", "odd", "a") == ["ready", "ready", "ready", "skipped", "done"]


def test_the_next_run_brings_what_is_there_by_now(loaded, shelf):
    shelf["ghost"] = Thing(author("ghost"))
    main(["retry", "shelf"])
    assert main(["run", "shelf", "--quiet"]) == 1
    assert states("ghost", "c", "d", "wild") == ["done", "done", "done", "failed"]


def test_one_cause_by_the_beginning_of_its_id(loaded, capsys):
    cause = Resource.objects.get(key="thing:wild").cause
    assert main(["retry", "shelf", "--cause", cause[:4]]) == 0
    assert capsys.readouterr().out == "1 resource ready to be tried again; isekai run shelf\n"
    assert states("wild", "ghost") == ["ready", "failed"]


def test_a_cause_that_is_not_there_lists_those_there_are(loaded, capsys):
    assert main(["retry", "shelf", "--cause", "zzzz"]) == 2
    assert "there is no cause 'zzzz'; there are " in capsys.readouterr().err


def test_some_by_their_keys_which_may_be_skipped(loaded, capsys):
    assert main(["retry", "shelf", "thing:odd", "thing:ghost"]) == 0
    assert capsys.readouterr().out == "2 resources ready to be tried again; isekai run shelf\n"
    assert states("odd", "ghost", "gone") == ["ready", "ready", "failed"]


def test_a_slip_in_one_key_leaves_the_others_as_they_are(loaded, capsys):
    assert main(["retry", "shelf", "thing:ghost", "thing:gohst"]) == 2
    assert "there is no resource 'thing:gohst' in shelf" in capsys.readouterr().err
    assert states("ghost") == ["failed"]


def test_what_is_done_is_refused_with_what_to_do_instead(loaded, capsys):
    assert main(["retry", "shelf", "thing:ghost", "thing:a"]) == 2
    assert "thing:a is done, there is nothing to retry; isekai run shelf --refresh" in capsys.readouterr().err
    assert states("ghost") == ["failed"]


def test_what_is_on_its_way_already_is_said(loaded, capsys):
    main(["retry", "shelf", "thing:ghost"])
    capsys.readouterr()
    assert main(["retry", "shelf", "thing:ghost"]) == 0
    assert capsys.readouterr().out == "nothing to retry: what you named is on its way already; isekai run shelf\n"


def test_where_nothing_failed_that_is_said(well, capsys):
    run("shelf")
    assert main(["retry", "shelf"]) == 0
    assert capsys.readouterr().out == "nothing to retry: nothing of shelf is failed or blocked\n"


def test_keys_and_a_cause_together_end_with_2(loaded, capsys):
    assert main(["retry", "shelf", "thing:ghost", "--cause", "a1b2"]) == 2
    assert "not allowed with" in capsys.readouterr().err


def test_json_says_how_many(loaded, capsys):
    assert main(["retry", "shelf", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "pipeline": "shelf", "retried": 5}


def test_a_name_that_nobody_knows_ends_with_2(well, capsys):
    assert main(["retry", "nope"]) == 2
    assert "there is no pipeline 'nope'" in capsys.readouterr().err
