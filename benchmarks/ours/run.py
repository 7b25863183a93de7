"""ISEKAI does the job: `python -m ours.run`, with the environment that `pipeline.py` sets up."""

import os
import sys
from importlib.metadata import version

import django


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "ours.settings"
    django.setup()

    from job.measure import Meter, migrate  # noqa: PLC0415 - Django has to be set up first

    import isekai_core  # noqa: PLC0415
    from isekai_core.pipeline.composing.compose import compose  # noqa: PLC0415
    from isekai_core.pipeline.composing.discover import find  # noqa: PLC0415
    from isekai_core.pipeline.engine import run  # noqa: F401, PLC0415

    migrate()
    # Start-up, as the other side's: the plugins are found and imported.
    compose(find("benchmark"))
    meter = Meter()
    meter.start()
    result = isekai_core.run("benchmark", processes=int(os.environ.get("BENCH_PROCESSES", "1")))
    meter.seconds = dict(result.stage_seconds)
    print(meter.report(f"isekai {version('isekai-core')}", said=[str(result)]))
    return 0 if result.is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
