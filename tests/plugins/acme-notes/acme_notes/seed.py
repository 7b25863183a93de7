"""The `notes` seeder: every note of a folder, with its text."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from isekai_core import Key, Payload, Seed
from isekai_core.errors import SeedError

MEDIA_TYPE = "text/markdown"


@dataclass(frozen=True, kw_only=True)
class NoteSeeder:
    """Gives the notes of a folder and of those in it: the key `note:2019/tea` is the file 2019/tea.md.

    folder: where they are.
    suffix: what the names of their files end with.
    """

    produces: ClassVar[Sequence[str]] = ("note", MEDIA_TYPE)
    version: ClassVar[str] = "1"

    folder: Path
    suffix: str = ".md"

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            msg = f"folder: expected a folder that exists, got {str(self.folder)!r}"
            raise ValueError(msg)
        if not self.suffix.startswith("."):
            msg = f"suffix: expected one such as '.md', got {self.suffix!r}"
            raise ValueError(msg)

    def seed(self) -> Iterator[Seed]:
        """The notes, by name; one that cannot be read ends it with its name."""
        for path in sorted(self.folder.rglob(f"*{self.suffix}")):
            if path.is_file():
                yield self._seed(path)

    def _seed(self, path: Path) -> Seed:
        name = path.relative_to(self.folder).as_posix().removesuffix(self.suffix)
        try:
            content = path.read_bytes()
            changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
        except OSError as error:
            msg = f"{path} cannot be read: {error.strerror}"
            raise SeedError(msg) from error
        payload = Payload.from_text(content, MEDIA_TYPE)
        return Seed(Key("note", name), payload=payload, version=changed.isoformat(timespec="microseconds"))
