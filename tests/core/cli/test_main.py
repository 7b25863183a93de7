"""`cli/main.py`: arguments, exit statuses, and what is imported."""

import asyncio
import importlib.metadata
import os
import subprocess
import sys

import pytest

from isekai_core.cli.main import COMMANDS, main
from isekai_core.errors import ConfigurationError, RunBusy


def raising(error):
    def execute(options):
        raise error

    return execute


def test_the_status_of_the_command_is_the_exit_status(command):
    command(lambda options: 1)
    assert main(["try"]) == 1


def test_a_wrong_configuration_is_told_in_one_line_and_exits_with_2(command, capsys):
    command(raising(ConfigurationError("there is no pipeline 'blgo'")))
    assert main(["try"]) == 2
    assert capsys.readouterr() == ("", "isekai: there is no pipeline 'blgo'\n")


def test_another_error_of_ours_exits_with_1(command, capsys):
    command(raising(RunBusy("process 12 works on blog")))
    assert main(["try"]) == 1
    assert capsys.readouterr().err == "isekai: process 12 works on blog\n"


def test_traceback_shows_where_an_error_comes_from(command, capsys):
    command(raising(ConfigurationError("no")))
    assert main(["try", "--traceback"]) == 2
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_what_nobody_expected_is_a_defect_with_its_traceback(command, capsys):
    command(raising(ZeroDivisionError("one by zero")))
    assert main(["try"]) == 70
    error = capsys.readouterr().err
    assert "Traceback (most recent call last)" in error
    assert error.endswith(
        "isekai: this is a defect, please report it with the traceback above: ZeroDivisionError: one by zero\n"
    )


def test_an_interrupt_exits_with_130(command, capsys):
    command(raising(KeyboardInterrupt()))
    assert main(["try"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize(("code", "status"), [(None, 1), (0, 1), (3, 3), ("no token", 1)])
def test_code_that_exits_below_a_command_never_passes_for_success(command, code, status, capsys):
    command(raising(SystemExit(code)))
    assert main(["try"]) == status
    told = capsys.readouterr().err
    assert told == (
        "isekai: code of the project or of a plugin ended the command with"
        f" SystemExit: {code}; --traceback shows where\n"
    )


def test_what_is_no_exception_of_the_usual_kind_is_told_in_one_line(command, capsys):
    command(raising(asyncio.CancelledError()))
    assert main(["try"]) == 1
    assert "ended the command with CancelledError; --traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--settings", "a.b", "try", "--word", "x"],
        ["try", "--settings", "a.b", "--word", "x"],
        ["try", "--word", "x", "--settings=a.b"],
    ],
)
def test_options_for_every_command_may_stand_anywhere(command, arguments):
    seen = []
    command(
        lambda options: seen.append((options.settings, options.pythonpath, options.word)) or 0,
        lambda parser: parser.add_argument("--word"),
    )
    assert main(arguments) == 0
    assert seen == [("a.b", None, "x")]


def test_help_lists_every_command_and_imports_none(isekai):
    run = isekai("--help")
    assert run.returncode == 0
    assert all(f"\n    {name} " in run.stdout for name in COMMANDS)
    assert run.stderr == ""


def test_the_version_is_that_of_the_distribution(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"isekai-core {importlib.metadata.version('isekai-core')}\n"


def test_without_a_command_the_usage_is_shown(capsys):
    assert main([]) == 2
    assert "usage: isekai" in capsys.readouterr().err


def test_an_unknown_command_gets_a_suggestion(capsys):
    assert main(["plugin"]) == 2
    assert "there is no command 'plugin' (did you mean 'plugins'?); see isekai --help" in capsys.readouterr().err


def test_an_unknown_option_exits_with_2(capsys):
    assert main(["plugins", "list", "--jsno"]) == 2
    assert "--jsno" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "usage", "told"),
    [
        (["plugins", "list", "--js"], "plugins list", "--js (did you mean '--json'?)"),
        (["errors", "blog", "--lim", "5"], "errors", "--lim 5 (did you mean '--limit'?)"),
        (["slice", "unload", "cut", "--target", "x", "--js"], "slice unload", "--js (did you mean '--json'?)"),
    ],
)
def test_the_beginning_of_an_option_is_none_and_the_usage_is_that_of_the_command(arguments, usage, told, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"usage: isekai {usage} [-h]")
    assert f"unrecognized arguments: {told}" in error


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    script = "import sys; from isekai_core.cli.main import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", script, "plugins", "list"], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE
    ) as process:
        os.close(writer)
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_without_any_standard_output_a_command_does_its_work(tmp_path):
    script = "import sys; sys.stdout = None; from isekai_core.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-P", "-c", script, "plugins", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_folder_that_was_deleted_under_a_command_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tmp_path.rmdir()
    assert main(["plugins", "list"]) == 1
    told = "isekai: the folder where this was started is not there any more; change to one that is\n"
    assert capsys.readouterr() == ("", told)


def test_what_a_message_quotes_of_others_cannot_steer_the_terminal(command, capsys):
    command(raising(ConfigurationError("there are:\n  thing:\x9b2J\u202etxt.exe")))
    main(["try"])
    assert capsys.readouterr().err == "isekai: there are:\n  thing:\\x9b2J\\u202etxt.exe\n"


def test_a_terminal_that_cannot_show_a_character_shows_an_escape(isekai):
    run = isekai("plugins", "list", PYTHONIOENCODING="ascii")
    assert run.returncode == 0
    assert "seeders: csv \\xb7 extractors: file" in run.stdout


def test_the_installed_script_is_this_function():
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="isekai")
    assert script.load() is main


class TestNoPlugins:
    """`--no-plugins` is repeated, and written with an equals sign."""

    def test_given_twice_both_are_left_out(self, command, monkeypatch):
        seen = []
        monkeypatch.delenv("ISEKAI_PLUGINS", raising=False)
        command(lambda options: seen.append(os.environ["ISEKAI_PLUGINS"]) or 0)
        assert main(["--no-plugins=a", "try", "--no-plugins=b,c"]) == 0
        assert main(["--no-plugins=a", "try", "--no-plugins"]) == 0
        assert main(["--no-plugins", "try", "--no-plugins=b"]) == 0
        assert seen == ["-a,-b,-c", "none", "none"]

    @pytest.mark.parametrize(
        "arguments", [["--no-plugins", "acme", "plugins", "list"], ["plugins", "list", "--no-plugins", "acme"]]
    )
    def test_with_a_space_it_says_how_it_is_written(self, arguments, capsys):
        assert main(arguments) == 2
        assert "write --no-plugins=acme to leave that plugin out" in capsys.readouterr().err

    def test_the_usage_shows_the_form(self, capsys):
        assert main(["--help"]) == 0
        assert "[--no-plugins[=A,B]]" in capsys.readouterr().out
