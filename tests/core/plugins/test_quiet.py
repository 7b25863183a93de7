"""`plugins/quiet.py`: what somebody's code prints, or where it goes, is nobody else's business."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from isekai_core.plugins.quiet import quiet


def test_what_is_printed_at_any_level_goes_to_standard_error():
    script = (
        "import os, subprocess, sys\n"
        "from isekai_core.plugins.quiet import quiet\n"
        "print('before')\n"
        "with quiet():\n"
        "    print('python'); os.write(1, b'below\\n'); subprocess.run(['echo', 'child'])\n"
        "print('after')\n"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "before\nafter\n"
    assert sorted(done.stderr.split()) == ["below", "child", "python"]


def test_warnings_that_somebody_makes_errors_are_none_for_the_next():
    with warnings.catch_warnings():
        before = list(warnings.filters)
        with quiet():
            warnings.simplefilter("error")
            with pytest.raises(FutureWarning):
                warnings.warn("at his own", FutureWarning, stacklevel=1)
        assert warnings.filters == before
        show = warnings.showwarning
        with quiet():
            warnings.showwarning = print
        assert warnings.showwarning is show


def test_a_warning_that_somebody_ignores_stays_ignored():
    with warnings.catch_warnings():
        with quiet():
            warnings.filterwarnings("ignore", message="of theirs", category=FutureWarning)
        assert any(one[0] == "ignore" and one[2] is FutureWarning for one in warnings.filters)


def test_the_current_folder_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with quiet():
        os.chdir("/")
    assert Path.cwd() == tmp_path
