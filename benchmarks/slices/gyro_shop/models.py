"""The same tables as `isekai_core.testing.shop`, of which only that file is read: its package is not installed here."""

from pathlib import Path

_SOURCE = Path(__file__).resolve().parents[3] / "isekai_core" / "testing" / "shop" / "models.py"
exec(compile(_SOURCE.read_text(encoding="utf-8"), str(_SOURCE), "exec"))
