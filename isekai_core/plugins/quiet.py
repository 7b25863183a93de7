"""Running somebody else's code without letting it into the output, or changing what the next one finds."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stdout, suppress


@contextmanager
def quiet() -> Iterator[None]:
    """For imports: nothing is printed, the current folder is the same afterwards, and warnings are no errors then."""
    with off_standard_output(), chdir(os.curdir), _warnings_as_before():
        yield


@contextmanager
def off_standard_output() -> Iterator[None]:
    """Inside, what is printed goes to standard error, below Python too."""
    with redirect_stdout(sys.stderr), _descriptor_redirected():
        yield


@contextmanager
def _warnings_as_before() -> Iterator[None]:
    """What makes warnings errors, or shows them elsewhere, would break others; what ignores some may stay."""
    before, show = list(warnings.filters), warnings.showwarning
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        yield
        new_errors = [one for one in warnings.filters if one[0] == "error" and one not in before]
        if not new_errors and warnings.showwarning is show:
            stack.pop_all()


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
