"""`pipeline/composing/absent.py`: earlier runs know who had a processor that is not installed any more."""

import pytest

from isekai_core import Pipeline
from isekai_core.errors import ProcessorNotFound
from isekai_core.models import Step
from isekai_core.pipeline.composing.absent import advice
from isekai_core.pipeline.composing.compose import compose


def worked(processor, plugin, version, stage="extract"):
    Step.objects.create(
        pipeline="p", stage=stage, processor=processor, plugin=plugin, version=version, fingerprint=version, chain=""
    )


@pytest.fixture
def acme(db):
    worked("isekai-acme/acme", "isekai-acme", "0.1.0")
    worked("isekai-acme/acme", "isekai-acme", "0.2.0")
    worked("isekai-other/acme", "isekai-other", "1", stage="mine")


@pytest.mark.parametrize("name", ["acme", "isekai-acme/acme"])
def test_the_last_one_who_had_it_is_what_to_install(name, acme):
    with pytest.raises(ProcessorNotFound) as caught:
        compose(Pipeline("p", extractors=[name]))
    assert str(caught.value).startswith(f"pipelines.p.extractors[0]: there is no extractor {name!r}")
    assert str(caught.value).endswith("; earlier runs had it from isekai-acme 0.2.0: pip install isekai-acme")


def test_one_that_is_installed_and_has_it_no_more_is_only_named(db):
    worked("isekai-core/acme", "isekai-core", "0.0.1")
    assert advice("extractor", "acme", "") == "; earlier runs had it from isekai-core 0.0.1"


def test_where_nobody_knows_it_says_how_a_pipeline_would(db):
    assert advice("extractor", "acme", "there is none") == (
        "; a pipeline that names its plugins, as in requires = ['isekai-acme>=0.1'], says what to install"
    )


def test_nothing_is_added_to_what_says_enough(db):
    assert advice("extractor", "acme", "it comes with isekai-http: pip install isekai-http") == ""
    assert advice("extractor", "flie", "there is none (did you mean 'file'?)") == ""


def test_without_a_database_the_error_stands_as_it_is():
    assert "requires" in advice("extractor", "acme", "there is none")
