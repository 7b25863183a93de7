"""What may be said of a plugin: one word each, the same in every listing."""

from enum import StrEnum


class PluginState(StrEnum):
    """Whether a plugin can be used. All but `ok` and `ambiguous` are quarantine."""

    OK = "ok"
    AMBIGUOUS = "ambiguous"
    DISABLED = "disabled"
    INCOMPATIBLE = "incompatible"
    MISSING_DEPENDENCY = "missing dependency"
    FAILED_IMPORT = "failed import"
    INVALID_HOOKS = "invalid hooks"

    @property
    def usable(self) -> bool:
        """Whether its processors can be used; those of an ambiguous plugin by their full names at least."""
        return self in (PluginState.OK, PluginState.AMBIGUOUS)


class InvalidHooksError(Exception):
    """A hook implementation does not fit the contract; inside the loader only.

    fix: what its author would write instead.
    """

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.fix = fix
