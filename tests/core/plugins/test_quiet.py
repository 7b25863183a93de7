"""`plugins/quiet.py`: what somebody's code prints, or where it goes, is nobody else's business."""

import os
import subprocess
import sys
from pathlib import Path


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


def test_the_current_folder_stays(tmp_path, monkeypatch):
    from isekai_core.plugins.quiet import quiet

    monkeypatch.chdir(tmp_path)
    with quiet():
        os.chdir("/")
    assert Path.cwd() == tmp_path
