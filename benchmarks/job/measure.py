"""Measures a side while it works: seconds per stage, SQL statements, peak memory, and what was loaded."""

import hashlib
import json
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.db.backends.signals import connection_created


class Meter:
    """Counts statements on every connection from `start` on, and sums the seconds of named blocks."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.statements = 0
        self.started = 0.0
        self.started_cpu = 0.0

    def start(self) -> None:
        connection_created.connect(self._watch, weak=False)
        for connection in connections.all(initialized_only=True):
            connection.execute_wrappers.append(self._count)
        self.started_cpu = time.process_time()
        self.started = time.perf_counter()

    def _watch(self, connection: Any, **_: Any) -> None:
        if self._count not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._count)

    def _count(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.statements += 1
        return execute(sql, params, many, context)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

    def report(self, who: str, **more: Any) -> str:
        """One line of JSON."""
        total, cpu = time.perf_counter() - self.started, time.process_time() - self.started_cpu
        # Of the processes that helped and are gone: the whole of each, start-up included.
        helpers = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu += helpers.ru_utime + helpers.ru_stime
        result = {
            "who": who,
            "total": round(total, 3),
            # Of this process and all its threads: what other work on the machine disturbs least.
            "cpu": round(cpu, 3),
            "seconds": {name: round(seconds, 3) for name, seconds in self.seconds.items()},
            "statements": self.statements,
            "peak_mb": round((peak_memory() + helpers.ru_maxrss * 1024) / 1e6, 1),
            **more,
            **loaded(),
        }
        return json.dumps(result)


def peak_memory() -> int:
    """The most bytes this process held, as the kernel counted since it began as this program.

    Not `getrusage`: what that says begins with the size of the process that started this one.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    msg = "the kernel does not tell VmHWM"
    raise RuntimeError(msg)


def migrate() -> None:
    # First what has migrations: tables without any are made before them, and those of the peer point to one of them.
    call_command("migrate", "contenttypes", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)


_ADDRESS = re.compile(r'href="([^"]*)"')


def loaded() -> dict[str, Any]:
    """What is in the models, counted after the clock stopped: rows, right files, links that were rewritten."""
    from job.models import Article, Photo  # noqa: PLC0415 - Django has to be set up first

    hashes = set()
    for photo in Photo.objects.iterator():
        with photo.file.open("rb") as file:
            hashes.add(hashlib.sha256(file.read()).hexdigest())
    links = [
        link for body in Article.objects.values_list("body", flat=True).iterator() for link in _ADDRESS.findall(body)
    ]
    return {
        "articles": Article.objects.count(),
        "photos": Photo.objects.count(),
        "different_files": len(hashes),
        "heroes": Article.objects.exclude(hero=None).count(),
        "links": len(links),
        "rewritten": sum(link.startswith("/articles/") for link in links),
    }
