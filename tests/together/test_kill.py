"""kill -9 at any place, then the same command again: the state of a run that nobody killed, nothing twice."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from testapp.models import Article, Author, Left, Node, Photo, Right, Section

from isekai_core.models import Dependency, Payload, Resource, Run, Step

pytestmark = pytest.mark.django_db(transaction=True)

HERE = Path(__file__).parent
TESTS = HERE.parent


@pytest.fixture
def command(tmp_path, transactional_db):
    """Runs the pipeline in a process of its own; with `at`, until it kills itself there."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "isekai_core.testing.settings",
        "ISEKAI_TEST_DIR": str(tmp_path / "project"),
        "KILL_DATABASE": str(connection.settings_dict["NAME"]),
        "KILL_MEDIA": str(settings.MEDIA_ROOT),
        "PYTHONPATH": os.pathsep.join([str(HERE), str(TESTS)]),
    }

    def run(at=""):
        return subprocess.run(
            [sys.executable, str(HERE / "killing.py")],
            env=environment | {"KILL_AT": at},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


_reference = []


@pytest.fixture
def uninterrupted(command):
    """What a run that nobody killed leaves, and how often it passed each place; run once for all tests."""
    if not _reference:
        done = command()
        assert done.returncode == 0, done.stderr
        passed = json.loads(done.stdout.splitlines()[-1])["passed"]
        _reference.append(SimpleNamespace(state=snapshot(), passed=passed))
        call_command("flush", interactive=False, verbosity=0)
        for file in Path(settings.MEDIA_ROOT).rglob("*"):
            if file.is_file():
                file.unlink()
    return _reference[0]


def snapshot():
    """All that a run leaves, by natural keys, values and file hashes; no numbers that a database made up."""
    return {
        "articles": sorted(
            (
                *(one.slug, one.title, one.body, one.author.slug, one.section.slug, one.hero.file.name),
                sorted(one.related.values_list("slug", flat=True)),
            )
            for one in Article.objects.all()
        ),
        "authors": sorted(Author.objects.values_list("slug", "name")),
        "photos": sorted((one.file.name, one.alt, sha256(one.file)) for one in Photo.objects.all()),
        "sections": sorted(Section.objects.values_list("slug", "parent__slug")),
        "nodes": sorted(Node.objects.values_list("name", "parent__name")),
        "pairs": [*Left.objects.values_list("name", "right__name"), *Right.objects.values_list("name", "left__name")],
        "resources": sorted(
            Resource.objects.values_list(
                *("key", "stage", "state", "depth", "metadata", "spec_hash", "loaded_hash", "target_model", "message"),
                *("lease_owner", "attempts", "payload__sha256", "transform_step__processor", "load_step__processor"),
            )
        ),
        "edges": sorted(Dependency.objects.values_list("parent__key", "child__key", "metadata", "ref")),
        "payloads": sorted(Payload.objects.values_list("sha256", "media_type", "size", "blob")),
        "steps": sorted(Step.objects.values_list("stage", "processor")),
        "files": sorted(
            (str(path.relative_to(settings.MEDIA_ROOT)), hashlib.sha256(path.read_bytes()).hexdigest())
            for path in Path(settings.MEDIA_ROOT).rglob("*")
            if path.is_file()
        ),
    }


def sha256(file):
    with file.open("rb") as reader:
        return hashlib.sha256(reader.read()).hexdigest()


def test_the_run_that_nobody_killed_is_what_it_should_be(uninterrupted):
    state = uninterrupted.state
    assert len(state["articles"]) == 14
    assert all(body.startswith("next: /articles/") for _, _, body, *_ in state["articles"])
    assert len(state["photos"]) == 6
    assert [alt for _, alt, _ in state["photos"]][:2] == ["first seen on page 0", "first seen on page 0"]
    assert state["nodes"] == [("a", "b"), ("b", "a")]
    assert state["sections"] == [("news", "news")]
    assert len(state["files"]) == 12
    assert {stage for _, stage, *_ in state["resources"]} == {"loaded"}


PLACES = [
    ("seed", 0.6),
    ("fetch", 0.5),
    ("read", 0.5),
    ("mine", 0.5),
    ("transform", 0.2),
    ("transform", 0.8),
    ("blob", 0.5),
    ("file", 0.5),
    ("plan", 0.5),
    ("written", 0.1),
    ("written", 0.5),
    ("written", 1.0),
    ("committed", 0.2),
    ("committed", 0.7),
    ("committed", 1.0),
    ("before statement", 0.1),
    ("before statement", 0.35),
    ("before statement", 0.8),
    ("after statement", 0.6),
    ("after statement", 0.9),
    ("after statement", 1.0),
]


@pytest.mark.parametrize(("place", "part"), PLACES)
def test_killed_and_run_again_it_is_as_if_nothing_had_happened(place, part, command, uninterrupted):
    at = max(1, round(uninterrupted.passed[place] * part))
    killed = command(f"{place} {at}")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert Run.objects.get().outcome == "running" or part == 1.0
    again = command()
    assert again.returncode == 0, again.stdout + again.stderr
    assert snapshot() == uninterrupted.state
    assert "said:" not in again.stdout
    assert list(Run.objects.order_by("pk").values_list("outcome", flat=True)) in (
        ["lost", "finished"],
        ["finished", "finished"],
    )
