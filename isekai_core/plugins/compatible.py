"""Whether a plugin says that it fits this core: its own requirement on isekai-core, read without a library.

Installers check requirements with all their grammar; this only catches what went wrong after them (a
core upgraded by hand, `--no-deps`). What it cannot read, it takes for compatible.
"""

import re
from collections.abc import Callable, Iterable
from itertools import zip_longest

CORE = "isekai-core"
_REQUIREMENT = re.compile(r"isekai[-_.]+core\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(?:;(.*))?", re.IGNORECASE)
_CLAUSE = re.compile(r"(~=|==|!=|<=|>=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?")
_COMPARE: dict[str, Callable[[int], bool]] = {
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
}


def wanted_core(requires: Iterable[str], core: str) -> str | None:
    """The requirement that `core` (a version of isekai-core) does not meet, or None.

    >>> wanted_core(["isekai-core>=0.1,<0.2"], "0.2.0")
    'isekai-core>=0.1,<0.2'
    """
    if not re.fullmatch(r"\d+(\.\d+)*", core):
        return None
    for requirement in requires:
        match = _REQUIREMENT.fullmatch(requirement.strip())
        # With a marker (an extra, a Python version) it may not concern this installation.
        if match and not match.group(2):
            clauses = [clause.strip() for clause in match.group(1).split(",")]
            if not all(_meets(clause, core) for clause in clauses):
                return CORE + match.group(1).strip()
    return None


def _meets(clause: str, core: str) -> bool:
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        return True
    operator, version, star = match.groups()
    if star:
        return _COMPARE[operator](_order(core, version, places=version.count(".") + 1))
    if operator == "~=":
        return _order(core, version) >= 0 and _order(core, version, places=version.count(".")) == 0
    return _COMPARE[operator](_order(core, version))


def _order(left: str, right: str, places: int | None = None) -> int:
    pairs = zip_longest(_numbers(left)[:places], _numbers(right)[:places], fillvalue=0)
    return next(((one > other) - (one < other) for one, other in pairs if one != other), 0)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
