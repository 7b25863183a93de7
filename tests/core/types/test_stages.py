"""`types/stages.py`: the words of the pipeline, in their order."""

import itertools

import pytest

from isekai_core.types import KINDS, STAGES, Stage, State


def test_each_stage_has_its_verb_and_its_kind_of_processor():
    assert STAGES == ("seed", "extract", "mine", "transform", "load")
    assert KINDS == ("seeder", "extractor", "miner", "transformer", "loader")
    assert [Stage.after(verb) for verb in STAGES] == list(Stage)


def test_stages_are_compared_by_their_order_and_not_as_text():
    for earlier, later in itertools.combinations(Stage, 2):
        assert earlier < later
        assert earlier <= later
        assert later > earlier
        assert later >= earlier
        assert not earlier >= later
    assert Stage.SEEDED <= Stage.SEEDED
    assert sorted(["loaded", "seeded", "mined"], key=Stage) == ["seeded", "mined", "loaded"]


def test_a_stage_is_compared_with_the_text_that_the_database_holds():
    assert Stage("extracted") < "mined"
    assert Stage.EXTRACTED == "extracted"
    assert [stage.position for stage in Stage] == [0, 1, 2, 3, 4]


def test_an_unknown_verb_is_refused():
    with pytest.raises(ValueError):
        Stage.after("seeded")


def test_the_states_are_the_seven_of_the_architecture():
    assert [str(state) for state in State] == ["ready", "running", "retry_wait", "blocked", "failed", "skipped", "done"]
