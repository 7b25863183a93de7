"""`disk.py`: files reach the disk beside the work, and what the disk refuses is told at the end."""

import os
import threading

import pytest

from isekai_core.errors import BundleError
from isekai_core.slicing.disk import Disk


@pytest.fixture
def synced(monkeypatch):
    """The sizes of what was brought to the disk, each time; threads that did it."""
    found, sync = [], os.fsync

    def noted(number):
        found.append((os.fstat(number).st_size, threading.current_thread().name))
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    return found


def opened(path, content=b"a"):
    file = path.open("wb")
    file.write(content)
    file.flush()
    return file


def test_files_are_on_the_disk_and_closed_when_it_has_settled(tmp_path, synced):
    disk = Disk()
    files = [opened(tmp_path / str(number), b"a" * number) for number in range(100)]
    for file in files:
        disk.end(file, file.name)
    disk.settle()
    assert [size for size, _ in synced] == list(range(100))
    assert all(file.closed for file in files)


def test_whoever_writes_does_not_wait_for_the_disk(tmp_path, synced):
    disk = Disk()
    disk.end(opened(tmp_path / "a"), "a")
    disk.settle()
    assert {name for _, name in synced} == {"isekai-disk_0"}


def test_a_file_that_has_begun_stays_open(tmp_path, synced):
    disk = Disk()
    file = opened(tmp_path / "a")
    disk.begin(file, "a")
    file.write(b"b")
    file.flush()
    disk.end(file, "a")
    disk.settle()
    assert len(synced) == 2
    assert (tmp_path / "a").read_bytes() == b"ab"


def pipe():
    """A file that no disk takes."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "wb")


def test_what_the_disk_refuses_is_told_with_the_name_and_the_rest_is_still_written(tmp_path, synced):
    disk = Disk()
    files = [pipe(), opened(tmp_path / "b")]
    disk.end(files[0], "shop.Order.csv")
    disk.end(files[1], "b")
    with pytest.raises(BundleError, match=r"shop\.Order\.csv cannot be written: Invalid argument"):
        disk.settle()
    assert len(synced) == 2
    assert all(file.closed for file in files)


def test_what_is_abandoned_is_closed_and_no_more_is_taken(tmp_path):
    disk = Disk()
    file = pipe()
    disk.abandon()
    with pytest.raises(BundleError, match="a: nobody waits for this bundle any more"):
        disk.end(file, "a")
    file.close()


def test_a_file_that_its_writer_closes_after_an_error_is_no_second_error(tmp_path, synced):
    disk = Disk()
    files = [opened(tmp_path / name) for name in ("a", "b")]
    files[0].close()
    disk.begin(files[0], "a")
    disk.end(files[1], "b")
    disk.settle()
    assert len(synced) == 1
    assert files[1].closed
