"""Options as somebody typed them: the messages of slices spell them as Python does, where most of them are read."""

import re

_FLAGS = {
    "overwrite=True": "--overwrite",
    "files=True": "--files",
    "masks='required'": "--require-masks",
    "DataSlicer.Postgres": "postgresql://…",
}
_VALUES = re.compile(r"\b(ids|on_conflict|dangling|constraints|files|missing_files|compress)=('\w+'(?: or '\w+')*)")
_BEGINNING = re.compile(r"^(budget|workers|seed|name)(?=: )")


def as_typed(message: str) -> str:
    """A message of a slice with the options of `isekai slice` in it instead of Python's.

    >>> as_typed("cut already holds manifest.json; overwrite=True replaces what is there")
    'cut already holds manifest.json; --overwrite replaces what is there'
    >>> as_typed("load with dangling='null' or 'keep'")
    'load with --dangling null or keep'
    >>> as_typed("workers: expected a number of at least 1, got 0")
    '--workers: expected a number of at least 1, got 0'
    """
    for python, typed in _FLAGS.items():
        message = message.replace(python, typed)
    return _BEGINNING.sub(r"--\1", _VALUES.sub(_with_value, message))


def _with_value(found: re.Match[str]) -> str:
    option, values = found.groups()
    return f"--{option.replace('_', '-')} {values.replace(chr(39), '')}"
