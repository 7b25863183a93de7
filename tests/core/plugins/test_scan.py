"""`plugins/scan.py`: metadata only, deterministic, and nothing of a stranger's can hide a plugin."""

import json
import subprocess
import sys

import pytest

from isekai_core.hookspecs import PROJECT
from isekai_core.plugins.scan import GROUP, normal_name, scan


def test_the_entry_point_group_is_the_project_of_the_hooks():
    assert GROUP == PROJECT


def test_a_distribution_with_an_entry_point_in_the_group_is_found(folder):
    folder.add("acme-miner", version="2.1", requires=["pyarrow>=10"])
    (found,) = folder.scan()
    assert (found.name, found.version, found.modules) == ("acme-miner", "2.1", ("acme_miner",))
    assert found.requires == ("pyarrow>=10",)
    assert found.location == str(folder.path)
    assert not found.editable
    assert found.shadowed == ()
    assert found.problem == ""


def test_other_distributions_and_other_groups_are_not_found(folder):
    folder.add_metadata("other", "[console_scripts]\nisekai = other:main\n")
    folder.add_metadata("isekai-like", "[isekai_like]\nx = isekai_like\n[isekai.extras]\ny = isekai_like\n")
    assert folder.scan() == ()


def test_plugins_come_sorted_by_their_normalised_names(folder):
    for name in ("zeta", "Acme.Miner", "beta_two"):
        folder.add_metadata(name, f"[isekai]\nx = {name}\n")
    assert [one.name for one in folder.scan()] == ["acme-miner", "beta-two", "zeta"]


def test_names_are_normalised_as_installers_do_it():
    assert normal_name(" Isekai__HTML.x ") == "isekai-html-x"


def test_several_entry_points_of_one_distribution_are_one_plugin_sorted_by_name(folder):
    folder.add_metadata("acme", "[isekai]\nb = acme.second\na = acme.first:plugin\n")
    (found,) = folder.scan()
    assert found.modules == ("acme.first:plugin", "acme.second")


def test_the_first_copy_on_the_path_wins_and_the_other_is_recorded(folder, tmp_path):
    folder.add_metadata("acme", "[isekai]\nx = acme\n", version="1.0")
    later = type(folder)(tmp_path / "later")
    later.add_metadata("acme", "[isekai]\nx = acme\n", version="9.0")
    (found,) = scan([str(folder.path), str(later.path)])
    assert found.version == "1.0"
    assert found.shadowed == (f"9.0 in {later.path}",)


def test_of_two_copies_in_one_folder_the_newest_wins_whatever_the_order_on_the_disk(folder):
    for version in ("0.9", "0.10", "0.2"):
        folder.add_metadata("acme", "[isekai]\nx = acme\n", version=version)
    (found,) = folder.scan()
    assert found.version == "0.10"
    assert sorted(found.shadowed) == [f"0.2 in {folder.path}", f"0.9 in {folder.path}"]


def test_a_folder_that_is_twice_on_the_path_is_no_second_copy(folder):
    folder.add_metadata("acme", "[isekai]\nx = acme\n")
    (found,) = scan([str(folder.path), str(folder.path)])
    assert found.shadowed == ()


def test_a_folder_that_is_not_there_is_passed_over(folder, tmp_path):
    folder.add_metadata("acme", "[isekai]\nx = acme\n")
    assert [one.name for one in scan([str(tmp_path / "nowhere"), str(folder.path)])] == ["acme"]


def test_an_editable_install_is_told_with_its_source_tree(folder):
    folder.add_metadata("acme", "[isekai]\nx = acme\n")
    origin = {"url": "file:///home/ada/my%20acme", "dir_info": {"editable": True}}
    (folder.path / "acme-1.0.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    (found,) = folder.scan()
    assert found.editable
    assert found.location == "/home/ada/my acme"


def test_a_broken_origin_does_no_harm(folder):
    folder.add_metadata("acme", "[isekai]\nx = acme\n")
    (folder.path / "acme-1.0.dist-info" / "direct_url.json").write_text("{no json")
    (found,) = folder.scan()
    assert found.location == str(folder.path)


def test_a_plugin_without_metadata_is_listed_with_its_problem(folder):
    folder.add_metadata("acme", "[isekai]\nx = acme\n")
    folder.add_metadata("sound", "[isekai]\nx = sound\n")
    (folder.path / "acme-1.0.dist-info" / "METADATA").unlink()
    acme, sound = folder.scan()
    assert acme.name == "acme"
    assert acme.problem == "its metadata cannot be read: it gives no name and version"
    assert sound.problem == ""


def test_a_sound_copy_beside_a_broken_one_wins(folder):
    folder.add_metadata("acme", "[isekai]\nx = acme\n", version="2.0")
    folder.add_metadata("acme", "[isekai]\nx = acme\n", version="1.0")
    (folder.path / "acme-2.0.dist-info" / "METADATA").unlink()
    (found,) = folder.scan()
    assert (found.version, found.problem) == ("1.0", "")


def test_a_strangers_unreadable_entry_points_hide_nobody(folder):
    folder.add_metadata("acme", "[isekai]\nx = acme\n")
    folder.add_metadata("stranger", "")
    (folder.path / "stranger-1.0.dist-info" / "entry_points.txt").write_bytes(b"[isekai]\n\xff\xfe = x\n")
    assert [one.name for one in folder.scan()] == ["acme"]


def test_core_is_a_plugin_like_every_other():
    assert ("isekai_core.builtins.plugin",) in [one.modules for one in scan() if one.name == "isekai-core"]


def test_a_scan_imports_no_django_no_pluggy_and_no_plugin(folder):
    folder.add("acme", "raise SystemExit('imported')")
    script = (
        "import sys; from isekai_core.plugins.scan import scan\n"
        "assert 'acme' in [one.name for one in scan()]\n"
        "print([name for name in ('django', 'pluggy', 'acme', 'packaging', 'email.parser') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": str(folder.path)}
    run = subprocess.run(
        [sys.executable, "-P", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


def test_a_plugin_for_another_hook_api_is_found_with_its_level(folder):
    folder.add_metadata("later", "[isekai.2]\nlater = later\n")
    folder.add_metadata("both", "[isekai]\nboth = both\n[isekai.2]\nboth = both.two\n")
    both, later = folder.scan()
    assert (both.apis, both.modules) == ((1, 2), ("both",))
    assert (later.apis, later.modules) == ((2,), ())


def test_the_django_apps_that_a_plugin_names_are_found_without_an_import(folder):
    folder.add_metadata("acme", "[isekai.apps]\nacme = acme_models.apps.AcmeConfig\n")
    (acme,) = folder.scan()
    assert acme.apps == ("acme_models.apps.AcmeConfig",)
    assert acme.modules == ()


@pytest.mark.parametrize(
    ("name", "version", "problem"),
    [
        ("ac\x1b[31mme", "1.0", r"expected a name of letters, digits and hyphens, 150 at most, got 'ac\x1b[31mme'"),
        ("", "1.0", "expected a name of letters, digits and hyphens, 150 at most, got ''"),
        ("a" * 151, "1.0", f"expected a name of letters, digits and hyphens, 150 at most, got {'a' * 151!r}"),
        ("acme", "1.0\x1b[2J", r"expected a version such as 1.0, got '1.0\x1b[2J'"),
        ("acme", "", "expected a version such as 1.0, got ''"),
    ],
)
def test_a_name_and_a_version_that_cannot_be_shown_or_kept_are_told(name, version, problem, folder):
    folder.add_metadata("acme", "[isekai]\nacme = acme\n")
    (metadata,) = folder.path.glob("*.dist-info/METADATA")
    metadata.write_text(f"Name: {name}\nVersion: {version}\n\n")
    (installed,) = folder.scan()
    assert installed.problem == f"its metadata cannot be read: {problem}"
    assert installed.name.isprintable()
