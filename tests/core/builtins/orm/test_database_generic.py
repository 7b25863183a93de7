"""Plans from a few rows, by the portable source and target."""

import pytest
from generic_slices import DerivedPlans, Site

from isekai_core.builtins.orm.database import Orm

pytestmark = pytest.mark.django_db


@pytest.fixture
def place():
    return Site("default", Orm())


class TestOrm(DerivedPlans):
    """On the database of the test run."""
