"""Whatever is wrong with a plugin: `plugins list` names it, the reason and what to do, everything else works, and what
needs it fails before anything is done."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from installed.broken import NAME, PACKAGE, Broken
from installed.broken_early import AT_IMPORT, HOOKS
from installed.broken_late import ODD, WHEN_MADE, WHEN_SHOWN, WHEN_USED
from installed.distributions import write_wheel
from installed.environments import install_into

NEEDY = """
[pipelines.needy]
seeders = [{ use = "csv", path = "categories.csv", records = true }]
miners = ["words"]
"""
CASES = [*AT_IMPORT, *HOOKS, *WHEN_USED]
SOUND = Broken("sound")


@dataclass(frozen=True)
class Installed:
    """A plugin of the table, and the folder into which an installer has put it."""

    case: Broken
    folder: Path


@pytest.fixture(scope="module")
def installed(request, tmp_path_factory):
    """One plugin after the other: all tests of it, then the next one."""
    case = request.param
    place = tmp_path_factory.mktemp("broken")
    about = {"requires": case.requires, "extras": case.extras, "entry_points": case.points, "group": case.group}
    folder = install_into(place / "installed", write_wheel(place, NAME, case.files, **about))
    if case.damage is not None:
        (folder / f"{PACKAGE}-1.0.dist-info" / "METADATA").write_bytes(case.damage)
    return Installed(case, folder)


def each(*cases):
    return pytest.mark.parametrize("installed", cases, ids=[case.id for case in cases], indirect=True)


def row_of(printed, name):
    """The line of the table about one plugin."""
    [line] = [line for line in printed.splitlines() if line.startswith(f"{name} ")]
    return line


@each(*CASES)
def test_the_list_names_plugin_reason_and_fix(installed, shared, empty):
    case = installed.case
    done = shared.isekai("plugins", "list", cwd=empty, also=[installed.folder])
    assert done.status == 0
    assert "Traceback" not in done.err
    row = row_of(done.out, NAME)
    for part in (case.state, *case.reason, case.fix):
        assert part in row
    assert row_of(done.out, "isekai-core").split()[2] == "ok"


@each(*CASES)
def test_the_list_for_machines_says_the_same(installed, shared, empty):
    case = installed.case
    done = shared.isekai("plugins", "list", "--json", cwd=empty, also=[installed.folder])
    assert done.status == 0
    broken, core = sorted(json.loads(done.out)["plugins"], key=lambda plugin: plugin["name"])
    assert (core["name"], core["state"]) == ("isekai-core", "ok")
    assert (broken["name"], broken["state"]) == (NAME, case.state)
    assert [part for part in case.reason if part not in broken["reason"]] == []
    assert case.fix in broken["fix"]
    # Whoever is told of a problem is told what to do.
    assert bool(broken["reason"]) == bool(broken["fix"]) == (case.state != "ok")


@each(*CASES)
def test_an_unrelated_pipeline_runs(installed, shared, project):
    done = shared.isekai("run", "unrelated", cwd=project.folder, also=[installed.folder])
    assert done.status == 0, done.err
    assert project.count("shop_category") == 2


@each(*CASES)
def test_a_pipeline_that_needs_it_fails_before_anything_is_done(installed, shared, project):
    project.write("isekai.toml", NEEDY)
    done = shared.isekai("run", "needy", cwd=project.folder, also=[installed.folder])
    assert (done.status, done.out) == (2, "")
    assert "Traceback" not in done.err
    for part in (NAME, *installed.case.told):
        assert part in done.err
    assert (project.count("isekai_resource"), project.count("isekai_run")) == (0, 0)


@each(*WHEN_USED)
def test_what_only_using_it_shows_is_shown_with_its_processors(installed, shared, empty):
    done = shared.isekai("plugins", "show", NAME, cwd=empty, also=[installed.folder])
    assert (done.status, done.err) == (0, "")
    for part in ("miner words", f"{NAME}/words cannot be used", *installed.case.used):
        assert part in done.out


@each(*WHEN_SHOWN)
def test_a_class_that_cannot_be_asked_is_shown_as_such(installed, shared, empty):
    done = shared.isekai("plugins", "show", NAME, cwd=empty, also=[installed.folder])
    assert (done.status, done.err) == (0, "")
    for part in ("miner words", f"{NAME}/words: ", *installed.case.used):
        assert part in done.out


# Of what the list can see, one of each group; all of what it cannot.
@each(AT_IMPORT[0], HOOKS[0], *WHEN_USED)
def test_the_check_exits_with_one_and_names_plugin_and_reason(installed, shared, empty):
    done = shared.isekai("plugins", "check", cwd=empty, also=[installed.folder])
    assert (done.status, done.err) == (1, "")
    assert f"{NAME} 1.0: not ok" in done.out
    assert [part for part in (installed.case.used or installed.case.reason) if part not in done.out] == []


@each(*(case for case in WHEN_MADE if "accepts" in case.id))
def test_the_check_finds_what_is_declared_wrongly(installed, shared, empty):
    done = shared.isekai("plugins", "check", NAME, cwd=empty, also=[installed.folder])
    assert (done.status, done.err) == (1, "")
    assert f"{NAME} 1.0: not ok" in done.out
    assert "miner words: " in done.out
    assert "accepts" in done.out


@each(*WHEN_MADE)
def test_what_only_an_object_of_it_shows_fails_before_anything_is_done(installed, shared, project):
    project.write("isekai.toml", NEEDY)
    done = shared.isekai("run", "needy", cwd=project.folder, also=[installed.folder])
    assert (done.status, done.out) == (2, "")
    for part in ("pipelines.needy.miners[0]: ", *installed.case.used):
        assert part in done.err
    assert project.count("isekai_resource") == 0


@each(*ODD)
def test_an_odd_plugin_is_ok_and_does_not_get_into_the_output(installed, shared, empty):
    done = shared.isekai("plugins", "list", "--json", cwd=empty, also=[installed.folder])
    assert done.status == 0
    assert {plugin["name"]: plugin["state"] for plugin in json.loads(done.out)["plugins"]}[NAME] == "ok"


@each(*ODD, SOUND)
def test_a_plugin_that_is_not_broken_is_used(installed, shared, project):
    project.write("isekai.toml", NEEDY)
    done = shared.isekai("run", "needy", "--until", "mine", "--json", cwd=project.folder, also=[installed.folder])
    assert done.status == 0, done.err
    assert json.loads(done.out)["pipeline"] == "needy"
    assert project.count("isekai_resource") == 2


def test_a_plugin_that_ends_the_process_is_left_out_by_safe_mode(shared, project, tmp_path):
    files = {**SOUND.files, f"{PACKAGE}/plugin.py": "import os\n\nos._exit(9)\n"}
    also = [install_into(tmp_path / "installed", write_wheel(tmp_path, NAME, files))]
    # Nobody can catch that.
    assert shared.isekai("plugins", "list", cwd=project.folder, also=also).status == 9
    for option in (f"--no-plugins={NAME}", "--no-plugins"):
        listed = shared.isekai(option, "plugins", "list", cwd=project.folder, also=also)
        assert listed.status == 0
        assert row_of(listed.out, NAME).split()[2] == "disabled"
        run = shared.isekai(option, "run", "unrelated", "--quiet", cwd=project.folder, also=also)
        assert run.status == 0, run.err


def test_two_plugins_that_claim_one_name_can_be_used_by_their_full_names(shared, project, tmp_path):
    folders = []
    for name in ("beta", "acme"):
        files = {path.replace(PACKAGE, name): text.replace(PACKAGE, name) for path, text in SOUND.files.items()}
        folders.append(install_into(tmp_path / name, write_wheel(tmp_path, name, files)))
    listed = shared.isekai("plugins", "list", cwd=project.folder, also=folders)
    assert listed.status == 0
    assert [row_of(listed.out, name).split()[2] for name in ("beta", "acme")] == ["ambiguous", "ambiguous"]
    project.write("isekai.toml", NEEDY)
    short = shared.isekai("run", "needy", cwd=project.folder, also=folders)
    assert short.status == 2
    for part in ("acme/words and beta/words", "prefer = { 'miner:words' = 'acme' }"):
        assert part in short.err
        assert part in listed.err
    assert project.count("isekai_resource") == 0
    project.write("isekai.toml", NEEDY.replace("words", "beta/words"))
    full = shared.isekai("run", "needy", "--until", "mine", cwd=project.folder, also=folders)
    assert full.status == 0, full.err
