"""The `file` slice source and target: a bundle in a folder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isekai_core.slicing.bundle import FolderWriter, check_options
from isekai_core.slicing.reading import FolderReader, read_folder
from isekai_core.types.slices import SlicePlan


@dataclass(frozen=True)
class File:
    """A bundle in a folder: `shop.Order.csv` for each model, and manifest.json, which is written last.

    path: the folder; it is made when a slice is written.
    overwrite: whether a bundle that is there already is replaced, once the new one is complete.
    compress: `zstd` for `shop.Order.csv.zst`, which needs the package zstandard. Reading sees it by itself.
    """

    path: str | Path
    overwrite: bool = False
    compress: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | Path) or not str(self.path):
            msg = f"path: expected the name of a folder, got {self.path!r}"
            raise ValueError(msg)
        check_options(overwrite=self.overwrite, compress=self.compress)

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.path)

    def writer(self, plan: SlicePlan, masks: Mapping[str, Any] | None = None) -> FolderWriter:
        """A new bundle in the folder; `BundleError`, naming `overwrite=True`, where files are there already."""
        return FolderWriter(Path(self.path), plan, masks, overwrite=self.overwrite, compress=self.compress)

    def reader(self) -> FolderReader:
        """The bundle in the folder, verified; `BundleError` names the file that is missing or was changed."""
        return read_folder(Path(self.path))
