"""How far an export or a load is: a bar per table, in rows and bytes; or nothing."""

import importlib.util
import sys
import threading
from typing import Any


class Silent:
    """No progress at all."""

    def begin(self, model: str, total: int | None) -> None:
        """Nothing."""

    def advance(self, model: str, rows: int, size: int) -> None:
        """Nothing."""

    def end(self, model: str) -> None:
        """Nothing."""


class Bars:
    """A tqdm bar for each table: in a notebook its bars, in a terminal lines, and nothing where there is neither."""

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._lock = threading.Lock()

    def begin(self, model: str, total: int | None) -> None:
        """A new bar."""
        bar = _bar_class()
        with self._lock:
            self._sizes[model] = 0
            self._bars[model] = bar(total=total, desc=model, unit=" rows", unit_scale=True, disable=None, leave=True)

    def advance(self, model: str, rows: int, size: int) -> None:
        """So many rows and bytes more."""
        with self._lock:
            self._sizes[model] += size
            bar = self._bars[model]
            bar.set_postfix_str(f"{self._sizes[model] / 1e6:,.1f} MB", refresh=False)
            bar.update(rows)

    def end(self, model: str) -> None:
        """The bar is full, whatever was expected."""
        with self._lock:
            bar = self._bars.pop(model)
            bar.total = bar.n
            bar.close()


def _bar_class() -> Any:
    """The bars of tqdm for where this runs: a notebook without ipywidgets gets those of a terminal."""
    from tqdm import tqdm  # type: ignore[import-untyped]  # noqa: PLC0415 - only where something is shown

    if "ipykernel" not in sys.modules or importlib.util.find_spec("ipywidgets") is None:
        return tqdm
    from tqdm.notebook import tqdm as notebook  # type: ignore[import-untyped]  # noqa: PLC0415

    return notebook
