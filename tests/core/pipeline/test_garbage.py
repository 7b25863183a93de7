"""The garbage collector: asked less often inside, and as it was before outside."""

import gc

import pytest

from isekai_core.pipeline.garbage import fewer_collections


@pytest.fixture(autouse=True)
def _put_back():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_it_collects_less_often_inside_and_as_before_afterwards():
    gc.set_threshold(700, 10, 10)
    with fewer_collections():
        assert gc.get_threshold() == (50_000, 10, 10)
    assert gc.get_threshold() == (700, 10, 10)


def test_it_is_as_before_after_an_error():
    gc.set_threshold(700, 10, 10)
    with pytest.raises(KeyError), fewer_collections():
        raise KeyError
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("threshold", [0, 100_000])
def test_whoever_collects_more_seldom_or_not_at_all_is_left_alone(threshold):
    gc.set_threshold(threshold, 10, 10)
    with fewer_collections():
        assert gc.get_threshold()[0] == threshold
    assert gc.get_threshold()[0] == threshold


def test_a_run_leaves_the_collector_as_it_was(world):
    before = gc.get_threshold()
    seen = []
    world.add("a", lambda resource: seen.append(gc.get_threshold()[0]))
    world.run()
    assert seen == [50_000]
    assert gc.get_threshold() == before
