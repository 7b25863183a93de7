"""What the tests of core share."""

import pytest
from testapp import pipelines


@pytest.fixture
def shelf(transactional_db, monkeypatch):
    """What the source of the pipeline `shelf` holds, where much goes wrong; a test may change it."""
    monkeypatch.setattr(pipelines, "SOURCE", pipelines.ill())
    return pipelines.SOURCE


@pytest.fixture
def well(transactional_db, monkeypatch):
    """The same, where nothing goes wrong."""
    monkeypatch.setattr(pipelines, "SOURCE", pipelines.well())
    return pipelines.SOURCE
