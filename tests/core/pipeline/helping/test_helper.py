"""A helper, as a process. What it does of a run is in `test_helpers.py`, and in `tests/together`."""

import os
import signal
import subprocess
import sys
import threading

from isekai_core.pipeline.helping import helper as module
from isekai_core.pipeline.helping.helper import Asker
from isekai_core.pipeline.tally import Tally

_READS = """
import os, subprocess, sys
from isekai_core.pipeline.helping.helper import _own_lines
line, channel = _own_lines()
subprocess.run([sys.executable, "-c", "import sys; print('a program reads', repr(sys.stdin.read()))"])
os.write(channel, os.read(line, 4))
"""


def test_what_a_plugin_starts_waits_for_nothing_on_the_life_line_and_prints_where_people_look():
    with subprocess.Popen(
        [sys.executable, "-c", _READS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr.readline() == "a program reads ''\n"
        assert process.communicate("line", timeout=20) == ("line", "")


def test_one_that_hangs_ends_with_what_it_started_when_nobody_is_there_any_more(monkeypatch):
    killed, gone = [], threading.Event()
    monkeypatch.setattr(module, "_LAST_SECONDS", 0.0)
    monkeypatch.setattr(module.os, "killpg", lambda *what: (killed.append(what), gone.set()))
    line, end = os.pipe()
    asker = Asker(Tally(), line, end)
    assert asker.goes_on()
    os.close(end)
    assert gone.wait(20)
    assert not asker.goes_on()
    assert killed == [(os.getpid(), signal.SIGKILL)]
    os.close(line)
