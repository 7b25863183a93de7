"""Safe mode: which installed plugins this process may import, decided before any of them is.

It lives in the environment, so that worker processes inherit it, and the options of the command line
only add to it.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from isekai_core.conf import did_you_mean
from isekai_core.errors import SettingError
from isekai_core.plugins.compatible import CORE
from isekai_core.plugins.scan import normal_name

VARIABLE = "ISEKAI_PLUGINS"
STRICT_VARIABLE = "ISEKAI_PLUGINS_STRICT"
_NONE = "none"
_FORMS = f"{VARIABLE} is {_NONE!r}, a list of plugins to allow ('isekai-http,isekai-html'), or of those to take away"


@dataclass(frozen=True, slots=True)
class Choice:
    """What `ISEKAI_PLUGINS` and `--no-plugins` say.

    allowed: the only plugins that are imported; None for all.
    away: plugins that are not imported.
    """

    allowed: frozenset[str] | None = None
    away: frozenset[str] = frozenset()

    def leaves_out(self, name: str) -> bool:
        """Whether the plugin `name` is not to be imported; core always is."""
        if name == CORE:
            return False
        return name in self.away or (self.allowed is not None and name not in self.allowed)

    def check(self, installed: Iterable[str]) -> None:
        """Raise `SettingError` for a name that is none of `installed`: a typing error must not pass for safety."""
        known = sorted(installed)
        for name in sorted((self.allowed or frozenset()) | self.away):
            if name not in known:
                hint = f"{did_you_mean(name, known)}; installed are {', '.join(known)}"
                msg = f"{VARIABLE} or --no-plugins names {name!r}, which is not installed{hint}; {_FORMS}"
                raise SettingError(msg)


def read_choice(text: str) -> Choice:
    """What the text of `ISEKAI_PLUGINS` means; `SettingError` for a text of another form.

    >>> sorted(read_choice("isekai-http,isekai-html").allowed)
    ['isekai-html', 'isekai-http']
    >>> read_choice("-isekai-html").leaves_out("isekai-html")
    True
    >>> read_choice("none").leaves_out("isekai-html")
    True
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    away = frozenset(normal_name(word[1:]) for word in words if word.startswith("-"))
    named = [word for word in words if not word.startswith("-")]
    if CORE in away:
        msg = f"{VARIABLE} or --no-plugins takes {CORE} away, which everything needs"
        raise SettingError(msg)
    if _NONE in named and len(named) > 1:
        msg = f"{_FORMS} ('-isekai-html'), got {text!r}"
        raise SettingError(msg)
    if not named:
        return Choice(None, away)
    return Choice(frozenset(normal_name(word) for word in named if word != _NONE), away)


def current_choice() -> Choice:
    """What this process may import."""
    return read_choice(os.environ.get(VARIABLE, ""))


def is_strict() -> bool:
    """Whether a plugin that is not ok stops everything."""
    return os.environ.get(STRICT_VARIABLE, "").lower() not in ("", "0", "no", "false")


@contextmanager
def chosen(no_plugins: Sequence[str] | None, *, strict: bool) -> Iterator[None]:
    """Inside, `--no-plugins` (each time it was given; "" for all of them) and `--strict-plugins` hold, too."""
    before = {name: os.environ.get(name) for name in (VARIABLE, STRICT_VARIABLE)}
    for given in no_plugins or ():
        os.environ[VARIABLE] = _with(os.environ.get(VARIABLE, ""), given)
    if strict:
        os.environ[STRICT_VARIABLE] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _with(text: str, no_plugins: str) -> str:
    names = [name.strip().removeprefix("-") for name in no_plugins.split(",") if name.strip()]
    if not names or text == _NONE:
        return _NONE
    return ",".join(filter(None, [text, *(f"-{name}" for name in names)]))
