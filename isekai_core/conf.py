"""The ISEKAI setting of a Django project, and isekai.toml: names, defaults, validation.

Nothing of Django is imported before `settings()` is called: `project_file()` serves commands that need
no Django project.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from isekai_core.errors import SettingError

FILE_NAME = "isekai.toml"
_TABLE = "tool.isekai"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing when no known name is near.

    >>> did_you_mean("domain", ["domains", "depth"])
    " (did you mean 'domains'?)"
    """
    import difflib  # noqa: PLC0415 - only after a mistake, and every command pays for its imports

    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The ISEKAI setting, a mapping of these names in capitals.

    storage: STORAGE, the alias in STORAGES where payload files are kept; without it `isekai` if there is
        such an alias, else `default`.
    inline_limit: INLINE_LIMIT, bytes of text that are kept in the database; larger ones go to the storage.
    inline_blob_limit: INLINE_BLOB_LIMIT, the same for what is no text, such as images.
    batch_size: BATCH_SIZE, resources that are claimed and written together.
    lease_seconds: LEASE_SECONDS, how long claimed work belongs to a process that gives no sign of life.
    retry_attempts: RETRY_ATTEMPTS, tries in all before a temporary error becomes a failure.
    retry_backoff: RETRY_BACKOFF, seconds before the second try; doubled each time, with jitter.
    retry_max_wait: RETRY_MAX_WAIT, seconds that are waited at most, whatever the source asks for.
    """

    storage: str = "default"
    inline_limit: int = 1_048_576
    inline_blob_limit: int = 32_768
    batch_size: int = 500
    lease_seconds: int = 120
    retry_attempts: int = 4
    retry_backoff: float = 1.0
    retry_max_wait: float = 300.0


_DEFAULTS = Settings()
_MINIMUM = {
    "inline_limit": 0,
    "inline_blob_limit": 0,
    "batch_size": 1,
    "lease_seconds": 1,
    "retry_attempts": 1,
    "retry_backoff": 0,
    "retry_max_wait": 0,
}


def settings() -> Settings:
    """What the project's settings say now, so that overriding them works in tests.

    Raises `SettingError`, naming the entry.
    """
    from django.conf import settings as project  # noqa: PLC0415 - see the module's docstring

    given, storages = getattr(project, "ISEKAI", _NOTHING), project.STORAGES
    # Asked for every resource: checked once for the same objects.
    if not _checked_last or _checked_last[0] is not given or _checked_last[1] is not storages:
        _checked_last[:] = [given, storages, _read(given, storages)]
    checked: Settings = _checked_last[2]
    return checked


_NOTHING: Mapping[str, Any] = {}
_checked_last: list[Any] = []


def _read(given: Any, storages: Mapping[str, Any]) -> Settings:
    if not isinstance(given, Mapping):
        msg = f"the setting ISEKAI is a mapping such as {{'BATCH_SIZE': 500}}, got {given!r}"
        raise SettingError(msg)
    known = {one.name.upper(): one for one in fields(Settings)}
    for name in given:
        if name not in known:
            msg = f"ISEKAI[{name!r}] is unknown{did_you_mean(str(name), known)}; known are {', '.join(known)}"
            raise SettingError(msg)
    values = {name.lower(): _checked(name, value) for name, value in given.items()}
    values["storage"] = _storage(values.get("storage"), storages)
    return Settings(**values)


def _checked(name: str, value: Any) -> Any:
    if name == "STORAGE":
        return value
    low = _MINIMUM[name.lower()]
    whole = isinstance(getattr(_DEFAULTS, name.lower()), int)
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    # NaN is no number that compares.
    if not fits or not low <= value < float("inf"):
        msg = f"ISEKAI[{name!r}] is a {'whole ' if whole else ''}number of at least {low}, got {value!r}"
        raise SettingError(msg)
    return value


def _storage(alias: Any, storages: Mapping[str, Any]) -> str:
    if alias is None:
        return "isekai" if "isekai" in storages else "default"
    if not isinstance(alias, str) or alias not in storages:
        hint = did_you_mean(str(alias), storages)
        msg = f"ISEKAI['STORAGE'] is an alias in STORAGES ({', '.join(sorted(storages))}), got {alias!r}{hint}"
        raise SettingError(msg)
    return alias


@dataclass(frozen=True, slots=True)
class PluginChoices:
    """The table `plugins` of isekai.toml.

    disabled: plugins that are not imported.
    prefer: `kind:name` of a processor to the plugin that is meant when several register it.
    """

    disabled: tuple[str, ...] = ()
    prefer: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """What isekai.toml says, or `[tool.isekai]` of pyproject.toml; empty, with `path` None, without one.

    pipelines: name to table, as written.
    """

    path: Path | None = None
    plugins: PluginChoices = field(default_factory=PluginChoices)
    pipelines: Mapping[str, Any] = field(default_factory=dict)


def project_file(start: Path | None = None) -> ProjectFile:
    """The nearest isekai.toml, or pyproject.toml with `[tool.isekai]`: in `start` (the current folder) or above.

    Raises `SettingError` for what cannot be read, and for unknown tables and keys, with file and place.
    """
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (path := place / FILE_NAME).is_file():
            return _parsed(path, _toml(path, path.read_bytes()))
        if (path := place / "pyproject.toml").is_file() and _TABLE.encode() in (content := path.read_bytes()):
            tools = _toml(path, content).get("tool")
            if isinstance(tools, Mapping) and tools.get("isekai") is not None:
                return _parsed(path, tools["isekai"])
    return ProjectFile()


def _toml(path: Path, content: bytes) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - most commands find no file

    try:
        # Some editors begin a file with the mark of UTF-8.
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        msg = f"{path} is not TOML, which is always in UTF-8: {error}"
        raise SettingError(msg) from None
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is not TOML: {error}"
        raise SettingError(msg) from None


def _parsed(path: Path, table: Any) -> ProjectFile:
    prefix = f"{path}: {_TABLE}." if path.name != FILE_NAME else f"{path}: "
    top = _table(table, prefix, ("plugins", "pipelines"))
    plugins = _table(top.get("plugins", {}), f"{prefix}plugins.", ("disabled", "prefer"))
    pipelines = _table(top.get("pipelines", {}), f"{prefix}pipelines.", None)
    choices = PluginChoices(
        _names(plugins.get("disabled", []), f"{prefix}plugins.disabled"),
        _preferred(plugins.get("prefer", {}), f"{prefix}plugins.prefer"),
    )
    return ProjectFile(path, choices, pipelines)


def _table(value: Any, prefix: str, known: tuple[str, ...] | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        msg = f"{prefix.rstrip('.: ')}: expected a table, got {value!r}"
        raise SettingError(msg)
    for name in value:
        if known is not None and name not in known:
            msg = f"{prefix}{name} is unknown{did_you_mean(name, known)}; known are {', '.join(known)}"
            raise SettingError(msg)
    return value


def _names(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        msg = f"{place}: expected a list of plugin names such as ['isekai-html'], got {value!r}"
        raise SettingError(msg)
    return tuple(value)


def _preferred(value: Any, place: str) -> Mapping[str, str]:
    if isinstance(value, Mapping) and all(":" in name and isinstance(plugin, str) for name, plugin in value.items()):
        return value
    msg = f"{place}: expected a table such as {{'extractor:http' = 'isekai-http'}}, got {value!r}"
    raise SettingError(msg)
