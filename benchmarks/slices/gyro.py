"""The same export by django-gyro 0.3.4, in its own environment; prints seconds and memory."""

import json
import os
import sys
import time
from pathlib import Path

import django

MODELS = ("Tenant", "Shop", "Customer", "Product", "Order", "OrderItem")


def main(folder):
    os.environ["DJANGO_SETTINGS_MODULE"] = "slices.settings"
    django.setup()
    from django_gyro import DataSlicer, Importer, ImportJob  # noqa: PLC0415 - Django has to be set up first
    from gyro_shop import models as shop  # noqa: PLC0415
    from job.measure import peak_memory  # noqa: PLC0415

    for name in MODELS:
        type(f"{name}Importer", (Importer,), {"model": getattr(shop, name), "Columns": type("Columns", (), {})})
    wanted = [ImportJob(model=getattr(shop, name), query=getattr(shop, name).objects.all()) for name in MODELS]
    Path(folder).mkdir()
    begun, cpu = time.perf_counter(), time.process_time()
    DataSlicer.run(source=DataSlicer.Postgres(os.environ["BENCH_DSN"]), target=DataSlicer.File(folder), jobs=wanted)
    done = {
        "seconds": round(time.perf_counter() - begun, 3),
        "cpu": round(time.process_time() - cpu, 3),
        "rows": 0,
        "peak_mb": round(peak_memory() / 1e6, 1),
    }
    print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[1])
