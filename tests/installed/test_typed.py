"""What authors write is what the protocols ask for: for a type checker, too, without a base class."""

import subprocess
import sys

import pytest

WRITTEN = """
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from isekai_core import Extraction, Key, Mined, Payload, Register, ResourceView, Seed, Spec, hookimpl
from isekai_core.types import Extractor, LoadItem, Loader, Miner, Seeder, Transformer


class Seeds:
    def seed(self) -> Iterator[Seed]:
        yield Seed(Key("row", "1"))


@dataclass
class Extracts:
    accepts: ClassVar[tuple[str, ...]] = ("row",)
    concurrency: int = 4

    async def extract(self, resource: ResourceView) -> Extraction:
        return Extraction(Payload.from_text("x"))


class Mines:
    accepts = ("text/*",)

    def mine(self, resource: ResourceView) -> list[Mined]:
        return []


class Transforms:
    def __init__(self, model: str) -> None:
        self.accepts = ["text/plain"]
        self.model = model

    def transform(self, resource: ResourceView) -> Spec:
        return Spec(self.model)


class Loads:
    @property
    def accepts(self) -> Sequence[str]:
        return ("*",)

    def plan(self, items: Sequence[LoadItem]) -> None: ...

    def write(self, items: Sequence[LoadItem]) -> None: ...


seeder: Seeder = Seeds()
extractor: Extractor = Extracts()
miner: Miner = Mines()
transformer: Transformer = Transforms("blog.Article")
loader: Loader = Loads()


@hookimpl
def isekai_register_miners(register: Register) -> None:
    register("words", Mines, replaces="isekai-acme/words")
    register("more-words", "acme.mine:Mines")
"""


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """`check(source)`: how mypy ends, and what it says."""
    folder = tmp_path_factory.mktemp("typed")

    def check(source):
        (folder / "written.py").write_text(source, encoding="utf-8")
        command = [sys.executable, "-I", "-m", "mypy", "--strict", "--cache-dir", folder / "cache", "written.py"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr

    return check


def test_plain_classes_satisfy_the_protocols(check):
    status, said = check(WRITTEN)
    assert status == 0, said


def test_what_is_no_list_of_patterns_does_not(check):
    status, said = check(WRITTEN.replace('accepts = ("text/*",)', "accepts = 5"))
    assert status == 1, said
    assert "accepts: expected" in said
