"""A table of one column, and what a mask makes of it."""

from django.db import models

from isekai_core.slicing import Importer, ImportJob
from isekai_core.slicing.csvtext import read_rows, write_rows
from isekai_core.slicing.masking import masks_for
from isekai_core.slicing.plan import plan_of
from isekai_core.testing.shop.models import Country


def masked(field, mask, texts, **options):
    """What `mask` makes of the texts of a column that is `field`; `options` are the model's.

    Its importer is forgotten after the test, as all are.
    """
    apps = type(Country._meta.apps)()
    meta = type("Meta", (), {"app_label": "shop", "apps": apps, **options})
    model = type("Odd", (models.Model,), {"it": field, "Meta": meta, "__module__": __name__})
    type("OddImporter", (Importer,), {"model": model, "Columns": type("Columns", (), {"it": mask})})
    rows = [["id", "it"], *([str(number), text] for number, text in enumerate(texts))]
    change = masks_for(plan_of([ImportJob(model)]), "secret")["shop.Odd"]
    return [row[1] for row in read_rows(change(write_rows(rows)))][1:]
