"""How far an export or a load is: a bar per table, in rows and bytes; or nothing."""

import contextvars
import sys
import threading
from functools import cache
from typing import Any

_SECONDS = 0.5
"""Between two states of a bar that is text in a notebook, which keeps them all."""


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
        # By its context a kernel knows which cell a bar belongs to; a thread that reads a table has none.
        self._context = contextvars.copy_context()

    def begin(self, model: str, total: int | None) -> None:
        """A new bar."""
        with self._lock:
            self._sizes[model] = 0
            shape = {"total": total, "desc": model, "unit": " rows", "unit_scale": True, "leave": True}
            self._bars[model] = self._context.run(_bar, **shape)

    def advance(self, model: str, rows: int, size: int) -> None:
        """So many rows and bytes more."""
        with self._lock:
            self._sizes[model] += size
            bar = self._bars[model]
            bar.set_postfix_str(f"{self._sizes[model] / 1e6:,.1f} MB", refresh=False)
            self._context.run(bar.update, rows)

    def end(self, model: str) -> None:
        """The bar is full, whatever was expected."""
        with self._lock:
            bar = self._bars.pop(model)
            bar.total = bar.n
            self._context.run(bar.close)


def _bar(**shape: Any) -> Any:
    """A bar of tqdm for where this runs."""
    from tqdm import tqdm  # type: ignore[import-untyped]  # noqa: PLC0415 - only where something is shown

    if not _is_in_notebook():
        return tqdm(disable=None, **shape)
    if _has_widgets():
        from tqdm.notebook import tqdm as widget  # type: ignore[import-untyped]  # noqa: PLC0415

        return widget(**shape)
    # There is no terminal, and a bar would see that and not show itself.
    return tqdm(file=sys.stdout, mininterval=_SECONDS, disable=False, **shape)


def _is_in_notebook() -> bool:
    """Whether a kernel runs this: that its package is imported would say nothing."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


@cache
def _has_widgets() -> bool:
    """Whether bars of notebooks can be had, which is seen only when one is built. Says once how they can."""
    try:
        from tqdm.notebook import tqdm as widget  # noqa: PLC0415 - only where something is shown

        widget.status_printer(None, 1).close()
    except Exception as error:  # Whatever is wrong with ipywidgets.
        why = "" if isinstance(error, ImportError) else f" ({error})"
        print(f"isekai: bars of a notebook need ipywidgets{why}: pip install ipywidgets, and restart the kernel")
        return False
    return True
