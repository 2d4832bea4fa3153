"""TPC-H at scale 0.01, loaded once; each test runs in a transaction that is rolled back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from benchmarks import tpch_data

SCHEMA = "tpch"
SCALE = 0.01
PAIRS = 10
# At this scale some queries find a row or none: more of what they look for, so that writes change their results.
MORE = """
UPDATE part SET p_brand = 'Brand#23', p_container = 'MED BOX', p_size = 5 WHERE p_partkey % 30 = 1;
UPDATE part SET p_brand = 'Brand#12', p_container = 'SM CASE', p_size = 3 WHERE p_partkey % 30 = 2;
UPDATE part SET p_brand = 'Brand#34', p_container = 'LG BOX', p_size = 9, p_name = 'forest green' WHERE p_partkey % 60 = 3;
UPDATE partsupp SET ps_availqty = 15 WHERE ps_partkey % 60 = 3;
UPDATE part SET p_type = 'LARGE PLATED BRASS', p_size = 15 WHERE p_partkey % 30 = 4;
UPDATE part SET p_type = 'ECONOMY ANODIZED STEEL' WHERE p_partkey % 30 = 5;
UPDATE supplier SET s_nationkey = n_nationkey FROM nation
WHERE n_name = (ARRAY['CANADA', 'SAUDI ARABIA', 'FRANCE', 'GERMANY', 'CHINA', 'BRAZIL', 'CANADA'])[1 + s_suppkey % 8];
UPDATE supplier SET s_comment = 'Customer and Complaints' WHERE s_suppkey % 8 = 7;
UPDATE customer SET c_nationkey = n_nationkey FROM nation
WHERE n_name = (ARRAY['FRANCE', 'GERMANY', 'CHINA'])[c_custkey % 10];
UPDATE lineitem SET l_quantity = 48 WHERE l_orderkey % 40 = 1;
UPDATE lineitem SET l_quantity = 1 + l_orderkey % 25, l_shipmode = 'AIR', l_shipinstruct = 'DELIVER IN PERSON'
WHERE l_partkey % 30 < 6 AND l_orderkey % 40 <> 1;
"""


@pytest.fixture(scope="package")
def loaded(django_db_setup: None, django_db_blocker: Any, seed: int) -> Iterator[None]:
    """The tables and the refresh pairs, committed."""
    with django_db_blocker.unblock():
        known = connection.get_connection_params()
    given = {k: known[k] for k in ("dbname", "user", "password", "host", "port") if known.get(k)}
    with psycopg.connect(**given, autocommit=True) as session, tempfile.TemporaryDirectory() as directory:
        session.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        tpch_data.generate(Path(directory), SCALE)
        tpch_data.load(session, SCHEMA, Path(directory))
        session.execute(MORE)
        session.execute("VACUUM (FREEZE, ANALYZE) part, partsupp, supplier, customer, lineitem")
        tpch_data.draw(session, PAIRS, seed, single=1)
        yield
        session.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
def shop(loaded: None, db: None) -> None:
    """A transaction that finds the tables by their names."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL search_path = {SCHEMA}, public")
