"""isekai-django does the job: `python -m peer.run`, with the environment that `pipeline.py` sets up.

The order of the stages is that of its own management command, without its live display.
"""

import os
import sys
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import django


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "peer.settings"
    django.setup()

    from job.measure import Meter, migrate  # noqa: PLC0415 - Django has to be set up first

    migrate()
    pipeline, meter = _pipeline(), Meter()
    meter.start()
    results = _run(pipeline, meter)
    said = [message for result in results if result.result != "success" for message in result.messages]
    print(meter.report(f"isekai-django {version('isekai-django')}", said=said))
    return 1 if said else 0


def _pipeline() -> Any:
    from django.conf import settings  # noqa: PLC0415
    from isekai.extractors import HTTPExtractor  # noqa: PLC0415
    from isekai.loaders import ModelLoader  # noqa: PLC0415
    from isekai.miners import HTMLDocumentMiner, HTMLImageMiner, HTMLPageMiner  # noqa: PLC0415
    from isekai.pipelines import Pipeline  # noqa: PLC0415
    from isekai.seeders import SitemapSeeder  # noqa: PLC0415

    from peer.transform import ArticleTransformer, PhotoTransformer  # noqa: PLC0415

    hosts = [urlsplit(settings.SITE).netloc]
    return Pipeline(
        seeders=[SitemapSeeder(f"{settings.SITE}/sitemap.xml")],
        extractors=[HTTPExtractor()],
        miners=[miner(allowed_domains=hosts) for miner in (HTMLImageMiner, HTMLDocumentMiner, HTMLPageMiner)],
        transformers=[ArticleTransformer(), PhotoTransformer()],
        loaders=[ModelLoader()],
    )


def _run(pipeline: Any, meter: Any) -> list[Any]:
    with meter.stage("seed"):
        results = [pipeline.seed()]
    new = 1
    while new > 0:
        with meter.stage("extract"):
            results.append(pipeline.extract())
        with meter.stage("mine"):
            mined = pipeline.mine()
        results.append(mined)
        new = mined.metadata.get("newly_seeded_count", 0)
    with meter.stage("transform"):
        results.append(pipeline.transform())
    with meter.stage("load"):
        results.append(pipeline.load())
    return results


if __name__ == "__main__":
    sys.exit(main())
