"""Masks: what stands in a slice instead of what a person wrote.

Every mask is made of the value and a secret, by HMAC: the same value has the same mask in every table and in every
run with the same secret, so that what belonged together still does. A unique column stays unique: a piece of the
hash is woven into what is written there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from isekai_core.errors import PlanError
from isekai_core.slicing.given import named
from isekai_core.slicing.masktexts import hashed_value
from isekai_core.slicing.seeded import called, check_provider, faked, takes_value
from isekai_core.slicing.values import TEXTS, is_known, made_text


@dataclass(frozen=True, repr=False)
class Mask(ABC):
    """The base of masks: `make` gives what stands for a value.

    masks_null: whether NULL is masked, too. In a unique column it never is.
    """

    masks_null: bool = field(default=False, kw_only=True)

    def __repr__(self) -> str:
        """As it is written in a class `Columns`."""
        return f"{self}.even_null()" if self.masks_null else str(self)

    def even_null(self) -> "Mask":
        """The same mask, which NULL gets as well: `constant("none").even_null()`."""
        return replace(self, masks_null=True)

    def check(self, kind: str, /) -> None:  # noqa: B027 - most masks fit every column
        """Raise `PlanError` where this mask cannot be had for a column whose type Django calls `kind`."""

    def try_out(self, kind: str, /) -> None:  # noqa: B027 - most masks need nothing else
        """The same of what is only known once Faker is loaded, which no declaration has to wait for."""

    @abstractmethod
    def make(self, value: Any, digest: bytes, kind: str, /) -> Any:
        """What stands for `value`, of which `digest` is made."""

    def keeps_apart(self, _kind: str, /) -> bool:
        """Whether two values get two masks, in a column whose type Django calls `kind`."""
        return False

    def reads(self, _kind: str, /) -> bool:
        """Whether it looks at the value, and not only at its text: which Python may have no value for."""
        return False

    @property
    def is_generated(self) -> bool:
        """Whether chance, under a seed, makes the text: two values may get the same."""
        return False

    @property
    def gives_null(self) -> bool:
        """Whether it is always NULL."""
        return False


@dataclass(frozen=True, repr=False)
class _Fake(Mask):
    provider: str = ""
    locale: str = ""
    options: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        given = [repr(self.provider), *([f"locale={self.locale!r}"] if self.locale else [])]
        return f"fake({', '.join([*given, *(f'{name}={value!r}' for name, value in self.options)])})"

    def try_out(self, kind: str, /) -> None:
        check_provider(self.provider, self.locale)
        if not is_known(kind):
            msg = f"{self} makes nothing that a {kind} can hold; use a constant, null or a function"
            raise PlanError(msg)
        try:
            made = self.make(None, bytes(32), kind)
        except Exception as error:  # Providers raise what they do about options.
            msg = f"{self} cannot be had: {type(error).__name__}: {error}"
            raise PlanError(msg) from error
        _require_fit(self, made, kind)

    def reads(self, kind: str, /) -> bool:
        # A text may be empty there, which its JSON is not.
        return kind == "JSONField"

    def make(self, value: Any, digest: bytes, _kind: str, /) -> Any:
        return faked(self.provider, self.locale, dict(self.options), digest) if value != "" else value

    @property
    def is_generated(self) -> bool:
        return True


@dataclass(frozen=True, repr=False)
class _Constant(Mask):
    value: Any = None

    def __str__(self) -> str:
        return "constant"

    def __repr__(self) -> str:
        # Not with the value, which may be the hash of a password.
        return super().__repr__().replace("constant", "constant(…)")

    def check(self, kind: str, /) -> None:
        _require_fit(self, self.value, kind)

    @property
    def gives_null(self) -> bool:
        return self.value is None

    def make(self, _value: Any, _digest: bytes, _kind: str, /) -> Any:
        return self.value


@dataclass(frozen=True, repr=False)
class _Null(Mask):
    def __str__(self) -> str:
        return "null"

    def keeps_apart(self, _kind: str, /) -> bool:
        return True

    @property
    def gives_null(self) -> bool:
        return True

    def make(self, _value: Any, _digest: bytes, _kind: str, /) -> Any:
        return None


@dataclass(frozen=True, repr=False)
class _Hashed(Mask):
    def __str__(self) -> str:
        return "hashed"

    def check(self, kind: str, /) -> None:
        hashed_value("", bytes(32), kind)

    def keeps_apart(self, kind: str, /) -> bool:
        return kind in TEXTS or kind in {"UUIDField", "BinaryField", "JSONField"} or "Big" in kind

    def reads(self, kind: str, /) -> bool:
        return kind == "JSONField"

    def make(self, value: Any, digest: bytes, kind: str, /) -> Any:
        return hashed_value(value, digest, kind) if value != "" else value


@dataclass(frozen=True, repr=False)
class _Keep(Mask):
    def __str__(self) -> str:
        return "keep"

    def keeps_apart(self, _kind: str, /) -> bool:
        return True

    def make(self, value: Any, _digest: bytes, _kind: str, /) -> Any:
        return value


@dataclass(frozen=True, repr=False)
class _Called(Mask):
    function: Callable[..., Any] = str

    def __str__(self) -> str:
        function: Any = self.function
        module = getattr(function, "__module__", "") or type(function).__module__
        return f"{module}.{getattr(function, '__qualname__', type(function).__qualname__)}"

    def check(self, _kind: str, /) -> None:
        takes_value(self.function)

    def keeps_apart(self, kind: str, /) -> bool:
        # Of other types than texts, nothing could be made unique afterwards: the function is believed.
        return kind not in TEXTS and takes_value(self.function)

    def reads(self, _kind: str, /) -> bool:
        return takes_value(self.function)

    def make(self, value: Any, digest: bytes, _kind: str, /) -> Any:
        return self.function(value) if takes_value(self.function) else called(self.function, digest)

    @property
    def is_generated(self) -> bool:
        return not takes_value(self.function)


def _require_fit(mask: Mask, made: Any, kind: str) -> None:
    """Raise `PlanError` for what a column of this type cannot hold; what it is, a constant tells nobody."""
    try:
        made_text(kind, made)
    except Exception as error:  # What is no date has no isoformat(), and so on.
        why = "" if is_known(kind) else f"; {error}"
        msg = f"{mask} makes nothing that a {kind} can hold{why}"
        raise PlanError(msg) from None


null = _Null()
"""NULL, for columns that may be NULL."""
hashed = _Hashed()
"""A hash: texts, whole numbers and UUIDs stay what they are, an e-mail address stays one, a file keeps its suffix."""
keep = _Keep()
"""The value as it is: what says of a text column that it needs no mask."""


def fake(provider: str, /, *, locale: str = "", **options: Any) -> Mask:
    """What a provider of Faker makes, `fake("email")`; an empty text stays empty.

    locale: Faker's, `de_DE`.
    options: the provider's own keyword arguments, `fake("email", domain="example.org")`.

    Needs Faker (`pip install faker`); another version of it may make other texts. An e-mail address always has a
    piece of the hash in it, so that it is the same in columns that are unique and in others.
    """
    return _Fake(provider, locale, tuple(sorted(options.items())))


def constant(value: Any) -> Mask:
    """The same for every row; in a unique column with a piece of the hash behind it."""
    return _Constant(value)


def as_mask(given: Any) -> Mask:
    """The mask that `Columns` names: one of those above, or anything that can be called.

    Raises `PlanError` for anything else.
    """
    if isinstance(given, Mask):
        return given
    if given is fake or given is constant:
        # It can be called with a value, and what it gives would tell the value.
        example = "fake('name')" if given is fake else "constant('x')"
        msg = f"{given.__name__} is to be called: {example}"
        raise PlanError(msg)
    if callable(given):
        return _Called(given)
    msg = f"expected a mask, such as fake('email'), constant('x'), null, hashed, keep or a function, got {named(given)}"
    raise PlanError(msg)


def describe(mask: Any) -> str:
    """What a manifest calls a mask; never with a secret, and without the values of constants.

    >>> describe(fake("email")), describe(constant("x")), describe(str.upper)
    ("fake('email')", 'constant', 'builtins.str.upper')
    """
    return str(as_mask(mask))
