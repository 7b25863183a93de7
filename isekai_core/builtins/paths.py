"""Paths that are options: a relative one counts from the folder where the command was started."""

from pathlib import Path


def told(path: str | Path) -> str:
    """The path for a message; of a relative one, also where it was looked for.

    >>> told("/data/authors.csv")
    '/data/authors.csv'
    """
    return str(path) if Path(path).is_absolute() else f"{path} (in {Path.cwd()})"
