"""One step of the slice benchmark in a process of its own: tables, an export or a load; prints seconds and memory."""

import json
import os
import sys
import time

import django
from django.core.management import call_command
from job.measure import peak_memory


def tables():
    call_command("migrate", "contenttypes", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)


def jobs():
    from isekai_core.slicing import Importer, ImportJob  # noqa: PLC0415 - Django has to be set up first
    from isekai_core.testing.shop import models as shop  # noqa: PLC0415

    parents = {
        "Tenant": [],
        "Shop": ["tenant"],
        "Customer": ["tenant", "shop"],
        "Product": ["tenant", "shop"],
        "Order": ["tenant", "shop", "customer"],
        "OrderItem": ["tenant", "shop", "order", "product"],
    }
    found = []
    for name, names in parents.items():
        model = getattr(shop, name)
        columns = {one: model._meta.get_field(one).related_model for one in names}
        type(f"{name}Importer", (Importer,), {"model": model, "Columns": type("Columns", (), columns)})
        found.append(ImportJob(model))
    return found


def started():
    """The slicer with everything imported that it imports when it is used first: that is start-up."""
    import isekai_postgres.export  # noqa: PLC0415 - Django has to be set up first
    import isekai_postgres.merge  # noqa: F401, PLC0415

    import isekai_core.slicing.bundle  # noqa: F401, PLC0415
    from isekai_core.slicing import DataSlicer  # noqa: PLC0415

    return DataSlicer


def export(folder, workers):
    slicer, wanted = started(), jobs()
    source, target = slicer.Postgres(os.environ["BENCH_URL"]), slicer.File(folder)
    return timed(lambda: slicer.run(source, target, wanted, workers=int(workers), progress=False))


def load(folder, constraints):
    slicer = started()
    source, target = slicer.File(folder), slicer.Postgres(os.environ["BENCH_URL"])
    return timed(lambda: slicer.run(source, target, constraints=constraints, name="benchmark", progress=False))


def timed(work):
    begun, cpu = time.perf_counter(), time.process_time()
    result = work()
    return {
        "seconds": round(time.perf_counter() - begun, 3),
        "cpu": round(time.process_time() - cpu, 3),
        "rows": result.rows,
        "peak_mb": round(peak_memory() / 1e6, 1),
    }


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "slices.settings"
    django.setup()
    step, *arguments = sys.argv[1:]
    done = {"tables": tables, "export": export, "load": load}[step](*arguments)
    print(json.dumps(done))
