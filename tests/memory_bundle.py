"""A bundle in memory, and a progress that counts: enough for the sources and targets of slices."""

import hashlib
import io
from collections import defaultdict

from isekai_core.slicing.csvtext import read_rows, write_rows
from isekai_core.types.slices import BundleTable


class MemoryBundle:
    """Written by a source, and read by a target."""

    def __init__(self, masks=None):
        self.manifest = {}
        self.texts = {}
        self.counts = {}
        self.kept = {}
        self.plans = []
        self.masks = masks or {}

    def write(self, table, chunks):
        self.plans.append(table)
        if table.model in self.masks:
            chunks = self.masks[table.model](chunks)
        self.texts[table.model] = b"".join(chunks)
        return len(self.texts[table.model])

    def count(self, model, rows):
        self.counts[model] = rows

    def write_file(self, name, content, field="", *, placeholder=False):
        self.kept[name] = content.read()

    @property
    def digest(self):
        return hashlib.sha256(b"".join(self.texts[name] for name in sorted(self.texts))).hexdigest()

    @property
    def tables(self):
        return [self._table(table) for table in self.plans]

    def _table(self, table):
        size = len(self.texts[table.model])
        return BundleTable(table.model, "", self.counts[table.model], size, "", table.key, table.columns)

    def open(self, model):
        return io.BytesIO(self.texts[model])

    def files(self):
        return ((name, io.BytesIO(content)) for name, content in self.kept.items())

    def rows(self, model):
        """The rows of a table as dictionaries."""
        rows = read_rows([self.texts[model]])
        header = next(rows)
        return [dict(zip(header, row, strict=True)) for row in rows]

    def change(self, model, change):
        """Put what `change` makes of the rows, header first, in their place."""
        rows = change(list(read_rows([self.texts[model]])))
        self.texts[model] = b"".join(write_rows(rows))
        self.counts[model] = len(rows) - 1

    def column(self, model, name):
        """The values of a column, in the order of the rows."""
        return [row[name] for row in self.rows(model)]


class Told:
    """A progress that remembers."""

    def __init__(self):
        self.totals = {}
        self.rows = defaultdict(int)
        self.bytes = defaultdict(int)
        self.ended = []

    def begin(self, model, total):
        self.totals[model] = total

    def advance(self, model, rows, size):
        self.rows[model] += rows
        self.bytes[model] += size

    def end(self, model):
        self.ended.append(model)
