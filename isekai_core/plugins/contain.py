"""Somebody else's code may end with more than an error: `sys.exit()` in a processor is no exit of ours.

Without this, such a plugin would end a run silently, with the status of one that went well.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from isekai_core.errors import ExtractError, LoadError, MineError, SeedError, StageError, TransformError

_ERRORS: dict[str, type[StageError]] = {
    "seeder": SeedError,
    "extractor": ExtractError,
    "miner": MineError,
    "transformer": TransformError,
    "loader": LoadError,
}


def as_error(error: BaseException, kind: str) -> Exception:
    """What a processor of `kind` raised, as an error of it; an interrupt of the user's is raised again.

    >>> as_error(SystemExit("no token"), "miner")
    MineError('the miner ended with SystemExit: no token')
    """
    if isinstance(error, KeyboardInterrupt):
        raise error
    if isinstance(error, Exception):
        return error
    made = _ERRORS.get(kind, StageError)(f"the {kind} ended with {in_words(error)}")
    made.__cause__ = error
    return made


@contextmanager
def contained(kind: str) -> Iterator[None]:
    """Inside, what would end the process is an error of the processor; other errors pass as they are."""
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise as_error(error, kind) from error


def in_words(error: BaseException) -> str:
    """Its class, and what it says, if it can say it; of what was contained, what had been raised.

    >>> in_words(ValueError("no"))
    'ValueError: no'
    """
    if isinstance(error, StageError) and not isinstance(error.__cause__, Exception | None):
        error = error.__cause__
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # to ask an error what it says runs code of the plugin, once more
        text = "its message cannot be had"
    return f"{type(error).__name__}: {text}".removesuffix(": ")
