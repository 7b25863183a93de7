"""Progress: bars on a terminal, lines elsewhere; neither may break a run or slow it."""

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import time
from contextlib import contextmanager, redirect_stderr, suppress

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from testapp.pipelines import Thing, author

from isekai_core import run
from isekai_core.pipeline.reports.progress import Bars, Lines, shown_progress
from isekai_core.pipeline.tally import Quiet


class Terminal(io.StringIO):
    """Standard error that says it is a terminal."""

    def isatty(self):
        return True


@contextmanager
def on_terminal(*, quiet=False):
    """Progress of the pipeline `shelf` on a terminal, and what is written there."""
    stream = Terminal()
    with redirect_stderr(stream), shown_progress("shelf", quiet=quiet) as progress:
        yield progress, stream


def test_a_terminal_gets_bars_for_the_stages_that_move(well):
    with on_terminal() as (progress, terminal):
        assert isinstance(progress, Bars)
        run("shelf", until="transform", progress=progress)
    shown = terminal.getvalue()
    assert [stage for stage in ("seed", "extract", "mine", "transform", "load") if f"{stage}: " in shown] == [
        "seed",
        "extract",
        "mine",
        "transform",
    ]


def test_a_bar_knows_how_much_is_before_it(well):
    well.update({f"n{number}": Thing(author(f"n{number}")) for number in range(97)})
    run("shelf", until="seed")
    with on_terminal() as (progress, terminal):
        progress.advance("extract", 0, None)
    assert re.search(r"extract: +0%.* 0/100 ", terminal.getvalue())


def test_a_total_that_the_engine_knows_is_taken(well):
    with on_terminal() as (progress, terminal):
        progress.advance("extract", 5, 20)
    assert "5/20" in terminal.getvalue()


def test_the_bars_are_gone_at_the_end(well):
    with on_terminal() as (progress, terminal):
        run("shelf", progress=progress)
    # The last thing that is written on a line of a bar is nothing.
    last = terminal.getvalue().rpartition("\r")[0].rpartition("\r")[2]
    assert not last.strip("\x1b[A ")


def test_a_million_steps_cost_little_and_few_queries(well):
    with on_terminal() as (progress, _), CaptureQueriesContext(connection) as caught:
        start = time.process_time()
        for done in range(100_000):
            progress.advance("extract", done, None)
        assert time.process_time() - start < 5
    assert len(caught) < 10


def test_without_a_terminal_only_what_must_be_known_is_said(well, capsys):
    with shown_progress("shelf", quiet=False) as progress:
        assert isinstance(progress, Lines)
        run("shelf", progress=progress)
        progress.say("waiting for \x1b[2J another")
    assert capsys.readouterr() == ("", "isekai: waiting for \\x1b[2J another\n")


def test_quiet_shows_nothing(well):
    with on_terminal(quiet=True) as (progress, terminal):
        assert isinstance(progress, Quiet)
        run("shelf", progress=progress)
        progress.say("waiting")
    assert terminal.getvalue() == ""


def test_what_is_said_stands_beside_the_bars(well):
    with on_terminal() as (progress, terminal):
        progress.advance("seed", 1, None)
        progress.say("waiting")
    assert "isekai: waiting\n" in terminal.getvalue()


def test_a_terminal_that_goes_away_does_not_stop_the_run(well):
    with on_terminal() as (progress, terminal):
        progress.advance("seed", 1, None)
        terminal.close()
        assert run("shelf", progress=progress).is_complete
        progress.say("waiting")


@pytest.mark.parametrize("stream", ["none", "closed"])
def test_without_standard_error_a_run_runs(well, monkeypatch, capsys, stream):
    gone = None if stream == "none" else io.StringIO()
    if gone is not None:
        gone.close()
    monkeypatch.setattr(sys, "stderr", gone)
    with shown_progress("shelf", quiet=False) as progress:
        assert run("shelf", progress=progress).is_complete
        progress.say("waiting")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("columns", "longest"), [(0, 80), (60, 60), (200, 200)])
def test_the_bars_fit_a_real_terminal_even_one_that_says_it_has_no_columns(well, columns, longest):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    with os.fdopen(slave, "w") as stream, redirect_stderr(stream):
        with shown_progress("shelf", quiet=False) as progress:
            progress.advance("extract", 5, 20)
        stream.flush()
        shown = os.read(master, 10_000).decode()
    os.close(master)
    (bar,) = [line for line in shown.split("\r") if "5/20" in line]
    assert longest - 1 <= len(bar) <= longest


def test_a_real_terminal_that_hangs_up_does_not_stop_the_run(well):
    master, slave = pty.openpty()
    stream = os.fdopen(slave, "w", buffering=1)
    with redirect_stderr(stream), shown_progress("shelf", quiet=False) as progress:
        assert isinstance(progress, Bars)
        progress.advance("seed", 1, None)
        os.close(master)
        assert run("shelf", progress=progress).is_complete
    with suppress(OSError):  # what it could not write
        stream.close()
