"""ivm_install --online: models with keys, indexes and grants, changed definitions, what a kill leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, models

from django_ivm import IncrementalView
from django_ivm.engine import install as installer
from django_ivm.engine import online
from django_ivm.engine.view import View
from django_ivm.models import RefreshLog
from tests.shop.models import Customer

from .conftest import Declare
from .shell import execute, fails, run

INDEXES = """
SELECT c.relname::text, i.relname::text, pg_get_indexdef(x.indexrelid), x.indisprimary
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relname IN ('shop_sized', 'shop_rows') OR c.relname LIKE 'sized\\_%' ORDER BY 1, 2
"""
SEQUENCES = (
    "SELECT sequencename::text FROM pg_sequences WHERE schemaname <> 'django_ivm' AND sequencename LIKE 'shop_sized%'"
)
SIZES = "SELECT segment, count(*) AS size FROM shop_customer GROUP BY segment"


@pytest.fixture
def sized(declare: Declare, django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """A view with a surrogate key, an index with a condition and a unique constraint; what tests write is committed."""
    with django_db_blocker.unblock():
        Customer.objects.bulk_create(Customer(name=f"c{i}", segment=f"s{i % 3}") for i in range(30))
        yield declare(
            "Sized",
            segment=models.CharField(max_length=20, null=True),
            size=models.BigIntegerField(),
            sql=SIZES,
            meta={
                "indexes": [models.Index(fields=["-size"], name="sized_by_size", condition=models.Q(size__gt=1))],
                "constraints": [models.UniqueConstraint(fields=["segment"], name="sized_once", nulls_distinct=False)],
            },
        )
        # It goes by hand: a flush would mark views as stale that others take for fresh.
        call_command("ivm_uninstall", "shop.Sized", verbosity=0)
        Customer.objects.all().delete()
        for one in installer.installed(connection):
            if not one.detached:  # as migrations of other tests may have left one
                View(one.name, schema=one.schema).refresh()
        RefreshLog.objects.all().delete()


def equal(model: type[IncrementalView], query: str) -> bool:
    table = model._meta.db_table
    return not execute(f"(SELECT segment, size FROM {table} EXCEPT ALL {query}) UNION ALL "
                       f"({query} EXCEPT ALL SELECT segment, size FROM {table})")  # fmt: skip


def test_a_model_is_as_if_installed_ordinarily(sized: Any):
    assert "shop.Sized: installed (was missing)" in run("ivm_install", "shop.Sized")
    expected = execute(INDEXES), execute(SEQUENCES)
    assert {name for _, name, *_ in expected[0]} >= {"sized_by_size", "sized_once", "shop_sized_pkey"}
    run("ivm_uninstall", "shop.Sized")
    assert "shop.Sized: installed (was missing)" in run("ivm_install", "shop.Sized", online=True)
    assert (execute(INDEXES), execute(SEQUENCES)) == expected
    assert equal(sized, SIZES)
    Customer.objects.create(name="new", segment="s9")
    Customer.objects.filter(segment="s0").delete()
    assert equal(sized, SIZES)
    assert len({row.pk for row in sized.objects.all()}) == 3
    assert "up to date" in run("ivm_install", "shop.Sized", online=True, verbosity=2)
    assert sized.is_fresh()


def test_a_changed_definition_takes_the_place_of_the_old_one(sized: Any):
    run("ivm_install", "shop.Sized")
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE ivm_online_reader")
    try:
        run("ivm_install", "shop.Sized", grant=["ivm_online_reader"])
        sized.sql = changed = "SELECT segment, 10 * count(*) AS size FROM shop_customer WHERE id > 0 GROUP BY segment"
        assert "installed (was outdated)" in run("ivm_install", "shop.Sized", online=True)
        assert equal(sized, changed)
        assert execute("SELECT has_table_privilege('ivm_online_reader', 'shop_sized', 'SELECT')") == [(True,)]
        Customer.objects.create(name="new", segment="s1")
        assert equal(sized, changed)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP OWNED BY ivm_online_reader; DROP ROLE ivm_online_reader")


def test_a_change_of_mode_keeps_the_table(sized: Any):
    run("ivm_install", "shop.Sized")
    before = execute("SELECT 'shop_sized'::regclass::oid")
    sized._ivm_options = type(sized._ivm_options)(mode="deferred")
    assert "installed (was outdated)" in run("ivm_install", "shop.Sized", online=True)
    assert execute("SELECT 'shop_sized'::regclass::oid") == before
    Customer.objects.create(name="new", segment="s1")
    assert not equal(sized, SIZES)
    sized.refresh()
    assert equal(sized, SIZES)


def test_readers_of_the_replaced_view_are_named(sized: Any, declare: Declare):
    run("ivm_install", "shop.Sized")
    declare("Above", sizes=models.BigIntegerField(), sql="SELECT count(*) AS sizes FROM shop_sized")
    run("ivm_install", "shop.Above")
    sized.sql = "SELECT segment, 2 * count(*) AS size FROM shop_customer GROUP BY segment"
    out = fails("ivm_install", "shop.Sized", online=True, match="1 of 1")
    assert "read by shop_above" in out
    assert equal(sized, SIZES)
    run("ivm_uninstall", "shop.Above")


def test_a_view_of_the_users_over_the_replaced_one_is_named(sized: Any):
    run("ivm_install", "shop.Sized")
    execute("CREATE VIEW over_sized AS SELECT * FROM shop_sized")
    sized.sql = "SELECT segment, 2 * count(*) AS size FROM shop_customer GROUP BY segment"
    try:
        assert "over_sized" in fails("ivm_install", "shop.Sized", online=True, match="1 of 1")
        assert equal(sized, SIZES)
    finally:
        execute("DROP VIEW over_sized")


def test_what_a_kill_leaves_is_told_and_pruned(sized: Any):
    class Killed(BaseException):
        pass

    def kill(text: str) -> None:
        if "indexes" in text:
            raise Killed

    from django_ivm import definition

    with pytest.raises(Killed):
        online.install_online(definition.spec(sized), connection, progress=kill)
    assert "shop_sized: an online installation of" in run("ivm_status", "shop.Sized")
    assert "ended before it was indexed" in json.loads(run("ivm_status", "shop.Sized", json=True))[0]["online"]
    assert json.loads(run("ivm_status", "shop.Sized", json=True))[0]["state"] == "missing"
    assert "missing" in fails("ivm_install", "shop.Sized", check=True, match="1 of 1")
    Customer.objects.create(name="new", segment="s1")
    out = run("ivm_install", "shop.CustomerRevenue", prune=True)
    assert "shop.Sized: removed an online installation that ended before it was indexed" in out
    assert "online installation" not in run("ivm_status", "shop.Sized")
    assert execute("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop_customer'::regclass "
                   "AND tgname LIKE '%customer%log%'") == [(0,)]  # fmt: skip
    run("ivm_install", "shop.Sized", online=True)
    assert equal(sized, SIZES)
