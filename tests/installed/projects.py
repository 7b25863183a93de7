"""A small Django project, migrated once and copied for each test, and what is in its database afterwards."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

START = Path(__file__).resolve().parent / "start"


@dataclass(frozen=True)
class Project:
    """A folder with manage.py, the app `shop`, and a database that is its own."""

    folder: Path

    def copy(self, folder):
        return Project(Path(shutil.copytree(self.folder, folder)))

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def count(self, table):
        """How many rows there are, without Django."""
        with closing(sqlite3.connect(self.folder / "db.sqlite3")) as database:
            [(found,)] = database.execute(f"SELECT count(*) FROM {table}")
        return found


def new_project(folder, environment):
    """The project with its tables, in a folder that is not there yet."""
    project = Project(Path(shutil.copytree(START, folder, ignore=shutil.ignore_patterns("__pycache__"))))
    done = environment.run(environment.python, "manage.py", "migrate", "--run-syncdb", cwd=project.folder)
    assert done.status == 0, done.err
    return project
