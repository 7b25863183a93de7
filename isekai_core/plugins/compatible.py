"""Versions that fit: a plugin's own requirement on isekai-core, and a pipeline's requirements on plugins.

Installers check requirements; this catches what went wrong after them (a core upgraded by hand,
`--no-deps`) and what no installer knows of. The grammar is that of the library `packaging`.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.requirements import Requirement

CORE = "isekai-core"


def wanted_core(requires: Iterable[str], core: str) -> str | None:
    """The requirement that `core` (a version of isekai-core) does not meet, or None.

    A requirement that cannot be read is taken for met: it is its author's and the installer's matter.

    >>> wanted_core(["isekai-core>=0.1,<0.2"], "0.2.0")
    'isekai-core>=0.1,<0.2'
    """
    # Most requirements are on others: looking at the text first spares parsing them, and often the library.
    for text in requires:
        if text.lower().replace("_", "-").replace(".", "-").startswith(CORE):
            requirement = _read(text)
            if requirement is not None and _concerns_us(requirement) and not fits(requirement, core):
                return text.partition(";")[0].strip()
    return None


def read_requirement(text: str) -> "Requirement":
    """`isekai-html>=0.1` read; `ValueError` says what is wrong with another form."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - see wanted_core

    try:
        return Requirement(text)
    except InvalidRequirement as error:
        msg = f"expected a requirement such as 'isekai-html>=0.1', got {text!r}: {str(error).splitlines()[0]}"
        raise ValueError(msg) from None


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
