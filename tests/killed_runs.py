"""Runs of the pipeline of `together/killing.py` in processes of their own, and all that such a run leaves."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from testapp.models import Article, Author, Left, Node, Photo, Right, Section

from isekai_core.models import Dependency, Payload, Resource, Step

TESTS = Path(__file__).parent
TOGETHER = TESTS / "together"


def runs_in(folder):
    """What runs the pipeline in a process of its own; with `at`, until it kills itself there."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "killed.settings",
        "ISEKAI_TEST_DIR": str(folder / "project"),
        "KILL_DATABASE": str(connection.settings_dict["NAME"]),
        "KILL_MEDIA": str(settings.MEDIA_ROOT),
        "PYTHONPATH": os.pathsep.join([str(TOGETHER), str(TESTS)]),
    }

    def run(at="", edited="", **more):
        return subprocess.run(
            [sys.executable, str(TOGETHER / "killing.py")],
            env=environment | {"KILL_AT": at, "KILL_EDITED": edited, **more},
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
