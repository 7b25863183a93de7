"""Every example in the documents runs, in a project of its own, in the order in which a reader meets them.

What the fences mean:

- `python` with `>>>`: run, and what it shows is compared (`...` is anything).
- `console`: each `$ command` is run by bash, where the commands before it have led. It must end with status 0,
  unless the next command is `echo $?`. What is shown below it is compared, see `documents.pattern_of`; below a
  command that shows nothing, nothing is compared.
- `toml` without a file name is parsed; one that is an isekai.toml, or has `[tool.isekai]`, is read by core.
- `text` is a drawing, or a form, and is never run.
- `<!-- file: path -->` before a block: it is written there. Python files are imported, and their pipelines
  composed, before anything else is done. `<!-- add to: path -->` appends to it.
- `<!-- in a second terminal -->`: a server, which runs until the document ends. Its port is replaced by a free
  one, everywhere in the document.
- `<!-- not run: reason -->`: the reason says why not.

A document begins in the project `start/`, whose tables are there; with `<!-- start: an empty folder -->` it
begins with nothing; with `<!-- start: a notebook -->`, its Python is run under an event loop.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
from pathlib import Path

import documents
import pytest
from repository import ROOT, named

from isekai_core.conf import project_file

HERE = Path(__file__).resolve().parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = ("console", "python", "text", "toml")
SECONDS = 60
SECOND_TERMINAL = "in a second terminal"
END_OF_COMMAND = "\x1e"

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=named(DOCUMENTS))


class Project:
    """The folder of one document, with what runs in it."""

    def __init__(self, folder, document, blocks):
        self.folder = folder
        self.home = folder.parent
        self.start = documents.starts_in(document)
        self.environment = environment(self.home)
        self.new_files = []
        self.ports = {port_of(block): free_port() for block in blocks if block.mark == SECOND_TERMINAL}
        self.servers = []
        self.worker = None
        if self.start == "an empty folder":
            folder.mkdir()
        else:
            shutil.copytree(HERE / "start", folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.is_migrated = self.start == "an empty folder"

    def do(self, block):
        """Do with `block` what a reader does with it."""
        if block.mark == "not run" or (block.language == "text" and not block.mark):
            return
        if block.mark in ("file", "add to"):
            self.write(block)
        elif block.mark == SECOND_TERMINAL:
            self.serve(block)
        elif block.language == "toml":
            read_toml(block.text, self.home)
        else:
            self.prepare()
            self.run_commands(block) if block.language == "console" else self.run_python(block)

    def write(self, block):
        path = self.folder / block.argument
        if path in self.new_files:
            self.import_new_files()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if block.mark == "file" else "a", encoding="utf-8") as file:
            file.write(self.with_ports(block.text))
        if path.suffix == ".py" or path.name == "isekai.toml":
            self.new_files.append(path)

    def prepare(self):
        self.import_new_files()
        if not self.is_migrated:
            self.is_migrated = True
            self.run("python manage.py migrate --run-syncdb --verbosity 0")

    def import_new_files(self):
        """Import the Python files that were written since, in a process of its own."""
        paths, self.new_files = self.new_files, []
        if paths:
            worker = Worker(self)
            told = worker.ask({"import": [str(path.relative_to(self.folder)) for path in paths]})
            worker.stop()
            assert not told, told

    def run_python(self, block):
        if self.worker is None:
            self.worker = Worker(self, *(["--notebook"] if self.start == "a notebook" else []))
        told = self.worker.ask({"examples": self.with_ports(block.text)})
        assert not told, told

    def run_commands(self, block):
        commands = [(self.with_ports(command), shown) for command, shown in block.commands]
        results = self.run(*(command for command, _ in commands))
        for number, ((command, shown), (printed, status)) in enumerate(zip(commands, results, strict=True)):
            following = commands[number + 1][0] if number + 1 < len(commands) else ""
            if not following.startswith("echo $?"):
                assert status == 0, f"$ {command}\n{printed}ended with status {status}"
            wanted = [self.with_ports(line) for line in shown]
            if any(line.strip() for line in wanted) and not documents.pattern_of(wanted).fullmatch(ending(printed)):
                pytest.fail(f"$ {command}\nprinted\n{printed}\nbut the document shows\n" + "\n".join(wanted))

    def run(self, *commands):
        """What each command printed, and its status."""
        log, place = self.home / "printed", self.home / "place"
        lines = [
            f'{command}\nstatus=$?; printf "{END_OF_COMMAND}$status{END_OF_COMMAND}"; (exit $status)'
            for command in commands
        ]
        script = "\n".join([*lines, f"pwd > {place}"])
        with log.open("w") as out:
            subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
                check=False,
            )
        self.folder = Path(place.read_text().strip())
        parts = log.read_text(encoding="utf-8").split(END_OF_COMMAND)
        return list(zip(parts[0::2], map(int, parts[1::2]), strict=False))

    def serve(self, block):
        """Start the server of a second terminal, in the folder where the first one is."""
        server = subprocess.Popen(
            ["bash", "-c", "\n".join(self.with_ports(command) for command, _ in block.commands)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.servers.append(server)
        wait_until_it_answers(int(self.ports[port_of(block)]))

    def with_ports(self, text):
        for port, free in self.ports.items():
            text = re.sub(rf"\b{port}\b", free, text)
        return text

    def close(self):
        if self.worker is not None:
            self.worker.stop()
        for server in self.servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


class Worker:
    """The process that runs the Python of a document."""

    def __init__(self, project, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests" / "example_worker.py", *arguments],
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return json.loads(answer) if answer else self.process.communicate()[1]

    def stop(self):
        self.process.communicate()


def environment(home):
    """What a reader has: the programs of this environment, and nothing of the test run's own settings."""
    scripts = sysconfig.get_path("scripts")
    packages = home / "packages"
    packages.mkdir()
    # `pip install -e` works, too: its path files are only read in folders that are known to hold some.
    (packages / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({str(packages)!r})\n", encoding="utf-8")
    return {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        # `pip install ./my-plugin` works, without a network and without touching this environment.
        "PYTHONPATH": str(packages),
        "PIP_TARGET": str(packages),
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def read_toml(text, folder):
    """Parse `text`; what is meant for isekai is read by core."""
    table = tomllib.loads(text)
    name = "pyproject.toml" if "tool" in table else "isekai.toml"
    if name == "pyproject.toml" or {"plugins", "pipelines"} & table.keys():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        assert project_file(folder).path == path
        path.unlink()


def ending(printed):
    return printed if not printed or printed.endswith("\n") else printed + "\n"


def port_of(block):
    return re.search(r"\b\d{4}\b", block.text).group()


def free_port():
    """A port of four digits, as the documents have them: tables keep their shape."""
    for port in range(5000 + os.getpid() % 4000, 10_000):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return str(port)
    msg = "no port is free"
    raise AssertionError(msg)


def wait_until_it_answers(port):
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        with socket.socket() as tried:
            if not tried.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    msg = f"nothing answers at port {port}"
    raise AssertionError(msg)


@every_document
def test_every_example_of_a_document_runs(document, tmp_path):
    blocks = documents.blocks(document)
    project = Project(tmp_path / "project", document, blocks)
    try:
        for block in blocks:
            try:
                project.do(block)
            except BaseException as error:
                error.add_note(f"in the block at {document.relative_to(ROOT)}:{block.line}")
                raise
        project.import_new_files()
    finally:
        project.close()


@every_document
def test_every_block_of_a_document_says_what_it_is(document):
    for block in documents.blocks(document):
        place = f"{document.relative_to(ROOT)}:{block.line}"
        assert block.language in LANGUAGES or block.mark in ("file", "add to"), f"{place}: {block.language!r}"
        if block.mark == "not run":
            assert len(block.argument) >= documents.LONG_ENOUGH_FOR_A_REASON, f"{place}: say why it is not run"
        if block.language == "python" and not block.mark:
            assert block.is_doctest, f"{place}: neither run by >>> nor written to a file"
