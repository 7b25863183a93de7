"""The scripts of continuous integration: they must not say that all is well when it is not."""

import subprocess
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from repository import ROOT


def script(name):
    """A script of .ci as a module; its file has no suffix."""
    loader = SourceFileLoader(f"ci_{name}", str(ROOT / ".ci" / name))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def summary(tmp_path, capsys):
    """Runs the summary over reports that a test has put in place, as if on a machine with Python 3.11 only."""
    module = script("summary")
    module.present = lambda: ["py311"]

    def run(**reports):
        for name, counts in reports.items():
            folder = tmp_path / ".tox" / name.replace("_", "-")
            folder.mkdir(parents=True)
            attributes = " ".join(f'{count}="{value}"' for count, value in counts.items())
            (folder / "junit.xml").write_text(f"<testsuites><testsuite {attributes}/></testsuites>")
        return module.main(tmp_path), capsys.readouterr().out.splitlines()

    return run


def test_the_sum_of_all_environments_is_the_last_line(summary):
    status, lines = summary(core_py311={"tests": 5}, http_py311={"tests": 3})
    assert (status, lines[-1]) == (0, "8 passed, 0 failed")


def test_failures_and_errors_count_as_failed(summary):
    status, lines = summary(core_py311={"tests": 5, "failures": 1, "errors": 1})
    assert (status, lines[-1]) == (1, "3 passed, 2 failed")


def test_a_skipped_test_is_not_good_enough(summary):
    status, lines = summary(core_py311={"tests": 5, "skipped": 2})
    assert (status, lines[-1]) == (1, "3 passed, 0 failed")
    assert "not good enough: 2 tests were skipped" in lines


def test_an_interpreter_that_is_here_must_have_been_used(summary):
    status, lines = summary(core_py312={"tests": 5})
    assert status == 1
    assert "not good enough: py311 is here, and no test ran on it" in lines


def test_no_tests_at_all_are_not_good_enough(summary):
    status, lines = summary()
    assert (status, lines[-1]) == (1, "0 passed, 0 failed")


README = """
<!-- quickstart:demo -->
```console
$ python3 -m venv .venv
$ .venv/bin/python demo.py
...
the demo went well
```
and then
```console
$ echo done
```
<!-- /quickstart -->
<!-- quickstart:tests -->
```sh
make test
```
<!-- /quickstart -->
<!-- quickstart:empty -->
<!-- /quickstart -->
"""


def test_a_block_is_its_commands_without_prompts_and_output():
    block = script("readme_block").block
    assert block(README, "demo") == "python3 -m venv .venv\n.venv/bin/python demo.py\necho done"
    assert block(README, "tests") == "make test"


@pytest.mark.parametrize(
    ("name", "message"), [("nothing", "has no block quickstart:nothing"), ("empty", "holds no commands")]
)
def test_a_block_that_is_not_there_is_an_error(name, message):
    with pytest.raises(SystemExit, match=message):
        script("readme_block").block(README, name)


def test_the_scripts_can_be_run_and_the_shell_can_read_them():
    for path in filter(Path.is_file, (ROOT / ".ci").iterdir()):
        assert bool(path.stat().st_mode & 0o100) == (path.suffix == ""), path
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0
