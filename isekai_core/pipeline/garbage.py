"""Python's cyclic garbage collector, asked less often while a run works.

A batch is tens of thousands of objects that live until it is written. The collector looks at them after
every 700 new ones and finds nothing: that was a twelfth of a run.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 50_000


@contextmanager
def fewer_collections() -> Iterator[None]:
    """Inside, collect after 50,000 new objects; as the process had it before and after.

    Whoever collects more seldom, or not at all, is left alone.
    """
    before = gc.get_threshold()
    if 0 < before[0] < _NEW_OBJECTS:
        gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
