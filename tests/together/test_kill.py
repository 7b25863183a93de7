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

    def run(at="", edited=""):
        return subprocess.run(
            [sys.executable, str(HERE / "killing.py")],
            env=environment | {"KILL_AT": at, "KILL_EDITED": edited},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


_references = {}


def reference(command, edited=""):
    """What a run that nobody killed leaves, and how often it passed each place; made once for all tests."""
    if edited not in _references:
        done = [command(), command(edited=edited)] if edited else [command()]
        assert [one.returncode for one in done] == [0] * len(done), done[-1].stderr
        passed = json.loads(done[-1].stdout.splitlines()[-1])["passed"]
        _references[edited] = SimpleNamespace(state=snapshot(), passed=passed)
        call_command("flush", interactive=False, verbosity=0)
        for file in Path(settings.MEDIA_ROOT).rglob("*"):
            if file.is_file():
                file.unlink()
    return _references[edited]


@pytest.fixture
def uninterrupted(command):
    return reference(command)


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
    ("committed", 0.4),
    ("before statement", 0.35),
    ("after statement", 0.8),
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


def test_a_refresh_that_nobody_killed_is_what_it_should_be(command, uninterrupted):
    state = reference(command, "yes").state
    assert len(state["articles"]) == 14
    assert [slug for slug, *_ in state["articles"] if "edited" in slug] == [
        f"page-{number}-edited" for number in (0, 12, 3, 6, 9)
    ]
    bodies = {slug: body for slug, _, body, *_ in state["articles"]}
    assert bodies["page-2"] == "next: /articles/page-3-edited/"
    assert len(state["photos"]) == 6
    assert sorted(alt for _, alt, _ in state["photos"])[:2] == ["first seen on page 0, edited", "first seen on page 1"]
    assert state["payloads"] != uninterrupted.state["payloads"]


@pytest.mark.parametrize(
    ("place", "part"),
    [("fetch", 0.5), ("mine", 0.5), ("transform", 0.9), ("file", 1.0), ("written", 0.5), ("after statement", 0.5)],
)
def test_a_refresh_killed_and_run_again_ends_as_one_that_nobody_killed(place, part, command):
    expected = reference(command, "yes")
    assert command().returncode == 0
    at = max(1, round(expected.passed[place] * part))
    killed = command(f"{place} {at}", edited="yes")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = command(edited="yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert snapshot() == expected.state
