"""Virtual environments in which commands run as a user runs them: nothing of the test run's own is visible there."""

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

PIP = (sys.executable, "-I", "-m", "pip", "--quiet", "--disable-pip-version-check")
_BELOW = "below.pth"
OFFLINE = ("--no-deps", "--no-index", "--no-cache-dir")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip, which is filled from outside; what one below it has is there, too."""

    folder: Path

    @classmethod
    def make(cls, folder, below=None):
        """A new environment. Installed on top of another, it holds only what the other has not."""
        call([sys.executable, "-I", "-m", "venv", "--without-pip", folder])
        made = cls(folder)
        if below is not None:
            # Python reads such files in its own folders only: what is below that has to be named here, too.
            further = below.site_packages / _BELOW
            lines = further.read_text(encoding="utf-8") if further.exists() else ""
            (made.site_packages / _BELOW).write_text(f"{below.site_packages}\n{lines}", encoding="utf-8")
        return made

    @property
    def site_packages(self):
        return Path(sysconfig.get_path("purelib", "venv", {"base": self.folder, "platbase": self.folder}))

    @property
    def scripts(self):
        return Path(sysconfig.get_path("scripts", "venv", {"base": self.folder, "platbase": self.folder}))

    @property
    def python(self):
        return self.scripts / "python"

    def install(self, *what, deps=True):
        """Install wheels or requirements, with what they require and is not there yet."""
        offline = () if deps else OFFLINE
        call([*PIP, "--python", self.python, "install", "--no-compile", *offline, *what])

    def uninstall(self, name):
        call([*PIP, "--python", self.python, "uninstall", "--yes", name])

    def isekai(self, *arguments, cwd, also=()):
        """Run the command `isekai`. `also`: further folders with distributions, before all others."""
        return self.run(self.scripts / "isekai", *arguments, cwd=cwd, also=also)

    def run(self, *command, cwd, also=()):
        """Run a command with nothing of the caller's environment that a Python, Django or ISEKAI reads."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO", "ISEKAI"))
        }
        if also:
            kept["PYTHONPATH"] = os.pathsep.join(map(str, also))
        done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, check=False, timeout=120)
        return Done(done.returncode, done.stdout, done.stderr)


def install_into(folder, *wheels):
    """What `pip install --target` makes of wheels, without what they require."""
    call([*PIP, "install", "--no-compile", *OFFLINE, "--target", folder, *wheels])
    return folder


def call(command):
    """Run a command that has to succeed; what it complained of is in the failure of the test."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
