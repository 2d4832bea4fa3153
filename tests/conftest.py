"""What every test may use: the profiles of random tests, and plain connections to the test database."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import django
import hypothesis
import psycopg
import pytest
from django.db import connections

SEED_VARIABLE = "DJANGO_IVM_SEED"
PROFILE_VARIABLE = "HYPOTHESIS_PROFILE"
TESTS_OF_A_SESSION = 10

_common: dict[str, Any] = {
    "deadline": None,  # a server's answer takes as long as it takes
    "print_blob": True,
    "suppress_health_check": [
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
}
hypothesis.settings.register_profile("ci", derandomize=True, max_examples=50, **_common)
hypothesis.settings.register_profile("fuzz", max_examples=2000, **_common)
hypothesis.settings.load_profile(os.environ.get(PROFILE_VARIABLE, "ci"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Workers of xdist get the controller's environment, and so its seed.
    if SEED_VARIABLE not in os.environ:
        fuzzing = os.environ.get(PROFILE_VARIABLE) == "fuzz"
        os.environ[SEED_VARIABLE] = str(random.SystemRandom().randrange(2**32) if fuzzing else 1)
    if config.getoption("--hypothesis-seed", None) is None:
        config.option.hypothesis_seed = os.environ[SEED_VARIABLE]


def pytest_report_header(config: pytest.Config) -> str:
    from django_ivm import embedded

    with psycopg.connect(embedded.database_url()) as connection:
        version = connection.info.parameter_status("server_version")
    profile = os.environ.get(PROFILE_VARIABLE, "ci")
    return (
        f"PostgreSQL {version}, Django {django.__version__}, "
        f"seed {os.environ[SEED_VARIABLE]} ({SEED_VARIABLE}), profile {profile} ({PROFILE_VARIABLE})"
    )


@pytest.fixture(scope="session")
def seed() -> int:
    """The run's seed, printed in the report's header."""
    return int(os.environ[SEED_VARIABLE])


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """Random numbers that are the same for one test and seed, whatever ran before."""
    return random.Random(f"{seed} {request.node.nodeid}")


def _installed() -> set[str]:
    """Views that this worker's test database keeps, and builds of such; none before ours is installed there."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_ivm.view') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return set()
        cursor.execute("SELECT view_schema || '.' || view_name FROM django_ivm.view")
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture(autouse=True)
def no_view_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that commits drops its views: those that stay would disturb whichever test comes next."""
    if "transactional_db" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("django_db_setup")
    blocker = request.getfixturevalue("django_db_blocker")
    with blocker.unblock():
        before = _installed()
    yield
    with blocker.unblock():
        stayed = _installed() - before
    assert not stayed, f"the test left views installed: {', '.join(sorted(stayed))}"


_ended = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """End Django's sessions every few tests. A session keeps the plans of each function that it ever called, dropped ones
    too, and looks through them all after every change of a catalog: after a thousand tests that takes most of the time.
    """
    yield
    if next(_ended) % TESTS_OF_A_SESSION == 0:
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:  # a module's or package's own
                connection.close()


def _url(alias: str) -> str:
    """How libpq reaches the database that Django's ``alias`` is using now."""
    settings = connections[alias].settings_dict
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {ours: settings[theirs] for ours, theirs in named.items() if settings.get(theirs)}
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    options = {name: value for name, value in settings["OPTIONS"].items() if name in known}
    return "postgresql:///?" + urlencode({**options, **given}, quote_via=quote)


@pytest.fixture
def dburl(transactional_db: None) -> str:
    """What ``psycopg.connect`` takes to reach the test database."""
    return _url("default")


Connect = Callable[..., psycopg.Connection[Any]]


@pytest.fixture
def connect(transactional_db: None) -> Iterator[Connect]:
    """``connect(alias="default", **psycopg's arguments)``: one more connection to the test database.

    For tests of several sessions at once, whose data is really committed (``django_db(transaction=True)``).
    """
    with contextlib.ExitStack() as opened:

        def open_connection(alias: str = "default", **arguments: Any) -> psycopg.Connection[Any]:
            connection = psycopg.connect(_url(alias), **arguments)
            # Not the connection's own context manager, which commits.
            opened.callback(connection.close)
            return connection

        yield open_connection
