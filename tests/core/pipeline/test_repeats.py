"""Repeats: which keys came before, and what is told of those that came with other data."""

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isekai_core.pipeline.repeats import Repeats


@given(st.lists(st.frozensets(st.text(min_size=1, max_size=2), max_size=5), max_size=8))
def test_what_was_given_in_an_earlier_batch_is_known(batches):
    earlier = set()
    with closing(Repeats()) as repeats:
        for batch in batches:
            assert repeats.before(batch) == batch & earlier
            earlier |= batch


@pytest.mark.parametrize(
    ("number", "told"), [(1, "p/0: given"), (5, "p/0, p/1, p/2, p/3, p/4: given"), (7, "p/3, p/4 and 2 more: given")]
)
def test_five_are_named_and_the_others_counted(number, told):
    with closing(Repeats()) as repeats:
        assert repeats.error is None
        for position in range(number):
            repeats.lose(f"p/{position}")
        assert told in str(repeats.error)
