"""Runs a suite on the spot, so that a test can say which of its tests fail, and with which words."""

import pytest
from django.db import transaction

from isekai_core.testing.conformance.suite import Suite


@pytest.fixture
def failures(request):
    """`failures(SuiteClass)`: the names of its tests that fail, each with its message."""

    def run(suite_class):
        found = {}
        for name in sorted(name for name in dir(suite_class) if name.startswith("test_")):
            owner = suite_class()
            try:
                run_one(getattr(owner, name), Suite(owner.kind, owner))
            except (Exception, pytest.fail.Exception) as error:
                found[name] = str(error)
        return found

    def run_one(test, suite):
        if "db" not in request.fixturenames:
            test(suite)
            return
        with transaction.atomic():
            test(suite)
            transaction.set_rollback(True)

    return run


@pytest.fixture
def failure(failures):
    """`failure(SuiteClass)`: the one test that fails, and its message."""

    def run(suite_class):
        [found] = failures(suite_class).items()
        return found

    return run
