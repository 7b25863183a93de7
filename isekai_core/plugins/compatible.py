"""Versions that fit: a plugin's own requirement on isekai-core, and a pipeline's requirements on plugins.

Installers check requirements; this catches what went wrong after them (a core upgraded by hand,
`--no-deps`) and what no installer knows of. The grammar is that of the library `packaging`.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

CORE = "isekai-core"
_RELEASE = re.compile(r"\d+(\.\d+)*")
_USUAL = re.compile(rf"{CORE}(?:>=(?P<a>[\d.]*\d),<(?P<b>[\d.]*\d)|<(?P<c>[\d.]*\d),>=(?P<d>[\d.]*\d))")


def wanted_core(requires: Iterable[str], core: str) -> str | None:
    """The requirement that `core` (a version of isekai-core) does not meet, or None.

    A requirement that cannot be read is taken for met: it is its author's and the installer's matter.

    >>> wanted_core(["isekai-core>=0.1,<0.2"], "0.2.0")
    'isekai-core>=0.1,<0.2'
    """
    for text in requires:
        # Most requirements are on others: looking at the text first spares parsing them.
        if text.lower().replace("_", "-").replace(".", "-").startswith(CORE) and not _is_within(text, core):
            requirement = _read(text)
            if requirement is not None and _concerns_us(requirement) and not fits(requirement, core):
                return text.partition(";")[0].strip()
    return None


def _is_within(text: str, core: str) -> bool:
    """Whether it is the usual `isekai-core>=0.1,<0.2`, in either order, and met: known without the library.

    Importing the library takes longer than reading what is installed, and `isekai plugins list` must be quick.
    """
    bounds = _USUAL.fullmatch(text.replace(" ", ""))
    if bounds is None or not _RELEASE.fullmatch(core):
        return False
    low, high = bounds["a"] or bounds["d"], bounds["b"] or bounds["c"]
    if not (_RELEASE.fullmatch(low) and _RELEASE.fullmatch(high)):
        return False
    return _numbers(low) <= _numbers(core) < _numbers(high)


def _numbers(version: str) -> list[int]:
    # Without the noughts at its end, 0.1.0 is as great as 0.1.
    numbers = [int(part) for part in version.split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return numbers


def read_requirement(text: str) -> "Requirement":
    """`isekai-html>=0.1` read; `ValueError` says what is wrong with another form."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - see wanted_core

    try:
        return Requirement(text)
    except InvalidRequirement as error:
        msg = f"expected a requirement such as 'isekai-html>=0.1', got {text!r}: {str(error).splitlines()[0]}"
        raise ValueError(msg) from None


def read_wanted(text: str) -> "Requirement":
    """A plugin's name and versions, as pipelines require them; `ValueError` for anything more or less.

    An address may hold a password, so none is shown.
    """
    expected = "expected a plugin's name and versions such as 'isekai-html>=0.1'"
    if "://" in text or "@" in text:
        msg = f"{expected}, got an address"
        raise ValueError(msg)
    try:
        requirement = read_requirement(text)
    except ValueError:
        msg = f"{expected}, got {text!r}"
        raise ValueError(msg) from None
    if requirement.marker or requirement.extras:
        more = "a condition" if requirement.marker else "extras"
        msg = f"{expected}, got {text!r}, with {more}"
        raise ValueError(msg)
    return requirement


def fits(requirement: "Requirement", version: str) -> bool:
    """Whether `version` meets `requirement`; one that is not written as versions are fits everything.

    A core or plugin that is being worked on (0.2.0.dev1) counts as what it becomes.
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - see wanted_core

    try:
        found = Version(version)
    except InvalidVersion:
        return True
    return requirement.specifier.contains(found, prereleases=True) or requirement.specifier.contains(found.base_version)


def _read(text: str) -> "Requirement | None":
    try:
        return read_requirement(text)
    except ValueError:
        return None


def _concerns_us(requirement: "Requirement") -> bool:
    # With a marker (an extra, another Python) it may not concern this installation.
    applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    return applies and requirement.name.lower().replace("_", "-").replace(".", "-") == CORE
