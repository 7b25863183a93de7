"""`pipeline/again.py`: a run that begins at a stage does that one and those after it, from what is stored."""

import pytest
from world import author, state


@pytest.mark.parametrize(
    ("start", "again"), [("extract", (2, 1, 1)), ("mine", (1, 2, 2)), ("transform", (1, 1, 2)), ("load", (1, 1, 1))]
)
def test_start_does_again_what_completed_it_and_nothing_before(start, again, world):
    world.add("a", author("a"))
    world.run()
    result = world.run(start=start)
    assert (len(world.fetched), len(world.mined), len(world.transformed)) == again
    assert result.changed == 0
    assert state("a")[:2] == ("loaded", "done")


def test_start_tries_again_what_failed_at_that_stage(world):
    world.add("a", ValueError("no"))
    world.run()
    world.specs["a"] = author("a")
    assert world.run(start="transform").is_complete
    assert len(world.fetched) == 1
