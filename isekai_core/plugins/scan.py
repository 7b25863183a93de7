"""Which plugins are installed: read from metadata alone, so that it is quick and no code of theirs runs."""

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote, urlsplit

import importlib_metadata

GROUP = "isekai"
"""The entry-point group of hook API 1; that of API 2 will be `isekai.2`."""

APPS_GROUP = "isekai.apps"
"""The entry-point group in which a plugin names its Django app, so that it can be listed without an import."""

API = 1
"""The hook API of this core."""

_API_GROUP = re.compile(rf"{GROUP}\.([0-9]+)")
_HIGHEST = 999
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[!-~]+")
_LONGEST_NAME = 150  # What the journal keeps of it.


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution that says it is a plugin.

    name: its distribution name, normalised: the plugin's name.
    modules: what its entry points name, each `package.module` or `package.module:object`.
    apps: the Django apps that it says it is, as they stand in INSTALLED_APPS.
    apis: the levels of the hook API that it is written for.
    location: the folder it is imported from; the source tree of an editable install.
    requires: its requirements, as its metadata writes them.
    shadowed: other copies of it further back on the path, which are never used.
    problem: why its metadata cannot be used, where that is so.
    odd_group: the entry-point group of its hooks, where that stands for no hook API.
    """

    name: str
    version: str
    modules: tuple[str, ...]
    location: str = ""
    editable: bool = False
    requires: tuple[str, ...] = ()
    shadowed: tuple[str, ...] = ()
    problem: str = ""
    apps: tuple[str, ...] = ()
    apis: tuple[int, ...] = (API,)
    odd_group: str = ""


def normal_name(name: str) -> str:
    """The one spelling of a distribution name.

    >>> normal_name("Isekai_HTML")
    'isekai-html'
    """
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def is_installed(name: str) -> bool:
    """Whether there is a distribution of that name, plugin or not."""
    try:
        importlib_metadata.distribution(name)
    except (importlib_metadata.PackageNotFoundError, ValueError):
        return False
    return True


def scan(path: Sequence[str] | None = None) -> tuple[Installed, ...]:
    """The plugins on `path` (`sys.path` without one), by name. The first copy wins, the others are recorded."""
    # A folder that is not there would be tried as a zip file, and the import of zipfile costs as much as the rest.
    folders = [folder for folder in (sys.path if path is None else path) if Path(folder or ".").exists()]
    copies: dict[str, list[Installed]] = {}
    for distribution in importlib_metadata.distributions(path=folders):
        if _names_group(distribution) and (found := _read(distribution)):
            copies.setdefault(found.name, []).append(found)
    return tuple(_first(copies[name]) for name in sorted(copies))


def _names_group(distribution: Any) -> bool:
    # The raw text first: parsing the entry points of every distribution costs more than all the rest.
    try:
        return f"[{GROUP}" in (distribution.read_text("entry_points.txt") or "")
    except (OSError, UnicodeDecodeError):
        return False  # A stranger's: it must not hide the others.


def _read(distribution: Any) -> Installed | None:
    location, editable = _location(distribution)
    try:
        fields = _fields(distribution)
        points = sorted((point.group, point.name, point.value) for point in distribution.entry_points)
        name, version, requires = fields["name"][0], fields["version"][0], tuple(fields["requires-dist"])
    except Exception as error:  # whatever is wrong with one distribution, the others are listed
        name = PurePath(str(distribution)).name.partition("-")[0]
        problem = f"its metadata cannot be read: {error}"
        return Installed(normal_name(name), "", (), location, editable, problem=problem)
    modules = tuple(value for group, _, value in points if group == GROUP)
    apps = tuple(value for group, _, value in points if group == APPS_GROUP)
    levels = {group: level for group, _, _ in points if (level := _level(group)) is not None}
    apis = tuple(sorted({level for level in levels.values() if level}))
    odd = "" if apis else next((group for group in levels), "")
    if not apis and not apps and not odd:
        return None
    return Installed(
        normal_name(name), version, modules, location, editable, requires, apps=apps, apis=apis, odd_group=odd
    )


def _level(group: str) -> int | None:
    """The hook API that an entry-point group stands for; 0 for one that never will be, None for another group."""
    other = _API_GROUP.fullmatch(group)
    if group == GROUP or other is None:
        return API if group == GROUP else None
    digits = other.group(1)
    # That of API 1 has no number; and who writes five thousand digits means none.
    return int(digits) if len(digits) <= len(str(_HIGHEST)) and int(digits) > API else 0


def _fields(distribution: Any) -> dict[str, list[str]]:
    """The fields wanted here, of the text itself: the parser for e-mails that others use takes longer than a scan."""
    fields: dict[str, list[str]] = {"name": [], "version": [], "requires-dist": []}
    for line in (distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "").splitlines():
        name, colon, value = line.partition(":")
        if not colon and not line.strip():
            break  # A description follows.
        fields.get(name.lower(), []).append(value.strip())
    if not fields["name"] or not fields["version"]:
        msg = "it gives no name and version"
        raise ValueError(msg)
    name, version = fields["name"][0], fields["version"][0]
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        msg = f"expected a name of letters, digits and hyphens, {_LONGEST_NAME} at most, got {name[:200]!r}"
        raise ValueError(msg)
    if not _VERSION.fullmatch(version):
        msg = f"expected a version such as 1.0, got {version[:200]!r}"
        raise ValueError(msg)
    return fields


def _location(distribution: Any) -> tuple[str, bool]:
    origin = None
    # Written by installers, and only there for what was installed from a folder or an address.
    with suppress(Exception):
        origin = distribution.origin
    if getattr(getattr(origin, "dir_info", None), "editable", False):
        return unquote(urlsplit(str(getattr(origin, "url", ""))).path), True
    return str(distribution.locate_file("")), False


def _first(copies: list[Installed]) -> Installed:
    """The copy that Python imports: the first on the path.

    Inside one folder the order would be the disk's: there it is the newest.
    """
    sound = [copy for copy in copies if not copy.problem] or copies
    winner = max((copy for copy in sound if copy.location == sound[0].location), key=_newness)
    # A path may list a folder twice: what is equal is the same copy, not another.
    others = dict.fromkeys(copy for copy in copies if copy != winner)
    return replace(winner, shadowed=tuple(f"{copy.version or '?'} in {copy.location}" for copy in others))


def _newness(copy: Installed) -> tuple[list[int], str]:
    return [int(digits) for digits in re.findall(r"\d+", copy.version)], copy.version
