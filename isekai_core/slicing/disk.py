"""What was written is brought to the disk while more is written: one thread waits for the disk, and nobody else."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import BinaryIO

from isekai_core.errors import BundleError

_WAITING = 32
"""So many files may wait, which stay open."""


class Disk:
    """The files of one bundle on their way to the disk."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "isekai-disk")
        self._room = threading.Semaphore(_WAITING)
        self._errors: list[BundleError] = []
        self._is_wanted = True

    def begin(self, file: BinaryIO, name: str) -> None:
        """Bring there what the file has until now; more of it follows."""
        self._ask(file, name, closes=False)

    def end(self, file: BinaryIO, name: str) -> None:
        """Bring there the rest of the file, and close it."""
        self._ask(file, name, closes=True)

    def settle(self) -> None:
        """Return when everything is there.

        Raises `BundleError` naming a file that the disk has refused.
        """
        self._thread.shutdown()
        if self._errors:
            raise self._errors[0]

    def abandon(self) -> None:
        """Nothing of it is wanted any more; all files are closed."""
        self._is_wanted = False
        self._thread.shutdown()

    def _ask(self, file: BinaryIO, name: str, *, closes: bool) -> None:
        self._room.acquire()
        try:
            self._thread.submit(self._bring, file, name, closes=closes)
        except RuntimeError as error:
            msg = f"{name}: nobody waits for this bundle any more"
            raise BundleError(msg) from error

    def _bring(self, file: BinaryIO, name: str, *, closes: bool) -> None:
        try:
            if self._is_wanted:
                os.fsync(file.fileno())
        except (OSError, ValueError) as error:
            if not file.closed:  # By its writer, which has told what went wrong.
                msg = f"{name} cannot be written: {getattr(error, 'strerror', None) or error}"
                self._errors.append(BundleError(msg))
        finally:
            if closes:
                with suppress(OSError):
                    file.close()
            self._room.release()
