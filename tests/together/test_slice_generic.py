"""Plans from a few rows, out of PostgreSQL and into it."""

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from generic_slices import DerivedPlans, Site

from isekai_core.slicing import DataSlicer
from isekai_core.testing import database_settings, own_database

ALIAS = "derived"


@pytest.fixture(scope="module")
def database(postgres_url, django_db_blocker):
    """A database with all tables that a plan may name."""
    with own_database(postgres_url) as url, django_db_blocker.unblock():
        connections.settings[ALIAS] = connections.settings["default"] | database_settings(url)
        models = [*apps.get_app_config("contenttypes").get_models(), *apps.get_app_config("auth").get_models()]
        with connections[ALIAS].schema_editor() as editor:
            for model in [*models, *apps.get_app_config("testapp").get_models()]:
                editor.create_model(model)
        yield url
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.settings[ALIAS]


@pytest.fixture
def place(database, django_db_blocker):
    with django_db_blocker.unblock():
        yield Site(ALIAS, DataSlicer.Postgres(alias=ALIAS))
        with connections[ALIAS].cursor() as cursor:
            tables = map(connections[ALIAS].ops.quote_name, connections[ALIAS].introspection.table_names(cursor))
            cursor.execute(f"TRUNCATE {', '.join(tables)}")
        ContentType.objects.clear_cache()


class TestPostgres(DerivedPlans):
    """On a database of its own."""
