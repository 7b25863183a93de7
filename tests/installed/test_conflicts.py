"""Two plugins that claim one short name: what is said of them does not depend on which came first."""

import json
from itertools import permutations

import pytest
from installed.distributions import write_wheel
from installed.environments import install_into

NAMES = ("acme-words", "best-words")
ORDERS = list(permutations(NAMES))

PIPELINES = """
[pipelines.short]
miners = ["words"]

[pipelines.full]
miners = ["best-words/words"]
"""


def plugin_files(name, **options):
    package = name.replace("-", "_")
    arguments = "".join(f", {key}={value!r}" for key, value in options.items())
    return {
        f"{package}/__init__.py": "",
        f"{package}/plugin.py": f"""
            from isekai_core import hookimpl

            @hookimpl
            def isekai_register_miners(register):
                register("words", "{package}.mine:WordMiner"{arguments})
            """,
        f"{package}/mine.py": """
            class WordMiner:
                '''Finds nothing.'''

                accepts = ("*",)

                def mine(self, resource):
                    return []
            """,
    }


@pytest.fixture
def installed_in(tmp_path):
    """Installs the plugins into one folder, one after the other; `points` are the entry points of each."""

    def install(order, points=None, options=None):
        folder = tmp_path / "-then-".join(order)
        for name in order:
            files = plugin_files(name, **(options or {}).get(name, {}))
            entry_points = {points: f"{name.replace('-', '_')}.plugin"} if points else None
            install_into(folder, write_wheel(tmp_path / "wheels", name, files, entry_points=entry_points))
        return folder

    return install


def said(environment, project, folder, *commands):
    """What the commands say, all of it, but for where it is installed and how long an import took."""
    done = [environment.isekai(*command.split(), cwd=project.folder, also=[folder]) for command in commands]
    return [(one.status, one.out.replace(str(folder), "HERE"), one.err.replace(str(folder), "HERE")) for one in done]


@pytest.mark.parametrize("points", [None, "words"], ids=["own entry points", "one name for both entry points"])
def test_what_is_said_is_the_same_in_both_orders(points, shared, project, installed_in):
    project.write("isekai.toml", PIPELINES)
    commands = ("plugins list", "pipelines check", "run short --quiet", "run full --quiet")
    one, other = (said(shared, project, installed_in(order, points), *commands) for order in ORDERS)
    assert one == other
    listed, checked, short, full = one
    assert listed[0] == 0
    assert [line.split()[:3] for line in listed[1].splitlines()[1:3]] == [[name, "1.0", "ambiguous"] for name in NAMES]
    assert (checked[0], short[0], full[0]) == (2, 2, 0)
    message = "use the full name, acme-words/words and best-words/words, or decide under [plugins] in isekai.toml"
    assert all(message in text for text in (listed[2], checked[1] + checked[2], short[2]))


def test_the_list_for_machines_is_the_same_in_both_orders(shared, project, installed_in):
    def listed(order):
        [(status, out, err)] = said(shared, project, installed_in(order), "plugins list --json")
        plugins = json.loads(out)["plugins"]
        for plugin in plugins:
            assert plugin.pop("import_ms") > 0
        return status, plugins, err

    one, other = map(listed, ORDERS)
    assert one == other
    marked = [processor["ambiguous"] for plugin in one[1] for processor in plugin["processors"]]
    assert marked.count(True) == 2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("winner", NAMES)
def test_the_setting_decides(order, winner, shared, project, installed_in):
    project.write("isekai.toml", f"[plugins]\nprefer = {{ 'miner:words' = '{winner}' }}\n{PIPELINES}")
    folder = installed_in(order)
    listed, checked, run = said(shared, project, folder, "plugins list", "pipelines list --json", "run short --quiet")
    assert [line.split()[2] for line in listed[1].splitlines()[1:3]] == ["ok", "ok"]
    assert listed[2] == ""
    assert checked[0] == 0
    assert run == (0, "", "")
    shown = shared.run(shared.python, "-c", FIND, cwd=project.folder, also=[folder])
    assert shown.out.strip() == f"{winner}/words", shown.err


FIND = "from isekai_core.plugins.registry import registry; print(registry().find('miner', 'words').full_name)"


def test_the_plugin_that_replaces_the_other_is_meant_in_both_orders(shared, project, installed_in):
    project.write("isekai.toml", PIPELINES)
    options = {"best-words": {"replaces": "acme-words/words"}}
    for order in ORDERS:
        folder = installed_in(order, options=options)
        [listed, run] = said(shared, project, folder, "plugins list", "run short --quiet")
        assert [line.split()[2] for line in listed[1].splitlines()[1:3]] == ["ok", "ok"]
        assert run == (0, "", "")
        found = shared.run(shared.python, "-c", FIND, cwd=project.folder, also=[folder])
        assert found.out.strip() == "best-words/words", found.err
