"""Importing somebody else's code without letting it into the output, or moving the process elsewhere."""

import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stdout, suppress


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, what is printed goes to standard error, below Python too; the current folder is the same afterwards."""
    with redirect_stdout(sys.stderr), _descriptor_redirected(), chdir(os.curdir):
        yield


@contextmanager
def _descriptor_redirected() -> Iterator[None]:
    # What a C library or another process writes does not pass through sys.stdout.
    with suppress(AttributeError, OSError, ValueError):
        sys.__stdout__.flush()  # type: ignore[union-attr]
    try:
        kept = os.dup(1)
    except OSError:
        yield  # There is no standard output at all.
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
