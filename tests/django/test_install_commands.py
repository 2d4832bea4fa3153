"""ivm_install and ivm_uninstall: what they change, what they refuse, in which order."""

from __future__ import annotations

import pytest
from django.db import connection, models

import django_ivm
from django_ivm.engine import install
from tests.shop.ivm_views import CustomerRevenue, RevenueBand
from tests.shop.models import Customer

from .conftest import Declare
from .shell import execute, fails, numbers, run

pytestmark = pytest.mark.django_db


def test_install_twice_changes_nothing(declare: Declare):
    numbers(declare)
    Customer.objects.create(name="Ann")
    assert "shop.Numbers: installed (was missing)" in run("ivm_install")
    before = install.installed(connection)
    assert "shop.Numbers: up to date" in run("ivm_install", verbosity=2)
    assert install.installed(connection) == before
    assert run("ivm_install", verbosity=0) == ""
    assert execute("SELECT count(*) FROM shop_numbers") == [(1,)]


def test_install_replaces_what_changed(declare: Declare):
    model = numbers(declare)
    run("ivm_install")
    model.sql = "SELECT -id AS n FROM shop_customer"
    customer = Customer.objects.create(name="Ann")
    assert "shop.Numbers: installed (was outdated)" in run("ivm_install")
    assert model.objects.get().n == -customer.pk


def test_install_check(declare: Declare):
    assert "INSTALLED" not in run("ivm_install", check=True)
    model = numbers(declare)
    out = fails("ivm_install", check=True, match="1 of .* need ivm_install")
    assert any(line.split() == ["shop.Numbers", "shop_numbers", "missing"] for line in out.splitlines())
    assert not model.status().installed
    run("ivm_install")
    run("ivm_install", check=True)
    model.sql = "SELECT 2 * id AS n FROM shop_customer"
    assert "outdated" in fails("ivm_install", "shop.Numbers", check=True, match="1 of 1")


def test_install_dry_run_changes_nothing_and_exits_well(declare: Declare):
    model = numbers(declare)
    assert "missing" in run("ivm_install", dry_run=True)
    assert not model.status().installed


def test_install_sql_prints_a_script_that_works(declare: Declare):
    model = numbers(declare)
    script = run("ivm_install", "shop.Numbers", sql=True)
    assert script.startswith("-- shop.Numbers")
    assert not model.status().installed
    execute(script)
    customer = Customer.objects.create(name="Ann")
    assert model.objects.get().n == customer.pk


def test_install_prune(declare: Declare):
    from django.apps import apps

    numbers(declare)
    django_ivm.create_view("by_name", "SELECT name, count(*) AS n FROM shop_customer GROUP BY name")
    run("ivm_install")
    apps.all_models["shop"].pop("numbers")
    apps.clear_cache()
    assert "orphan" in run("ivm_install", check=True)
    fails("ivm_install", check=True, prune=True, match="1 of")
    assert "orphan" in run("ivm_status")
    run("ivm_install")
    assert "shop_numbers" in {view.name for view in install.installed(connection)}
    assert "shop.Numbers (shop_numbers): removed" in run("ivm_install", prune=True)
    names = {view.name for view in install.installed(connection)}
    assert "shop_numbers" not in names
    assert "by_name" in names


def test_install_grant(declare: Declare):
    execute("CREATE ROLE ivm_test_reader")
    numbers(declare, ivm={"grants": ["ivm_test_reader"]})
    run("ivm_install")
    assert execute("SELECT has_table_privilege('ivm_test_reader', 'shop_numbers', 'SELECT')") == [(True,)]
    assert execute("SELECT has_table_privilege('ivm_test_reader', 'shop_segmentsize', 'SELECT')") == [(False,)]
    run("ivm_install", "shop.SegmentSize", grant=["ivm_test_reader"])
    assert execute("SELECT has_table_privilege('ivm_test_reader', 'shop_segmentsize', 'SELECT')") == [(True,)]
    run("ivm_install", check=True)
    fails("ivm_install", "shop.SegmentSize", grant=["nobody_of_that_name"], match="nobody_of_that_name")


def test_install_goes_on_after_a_failure(declare: Declare):
    numbers(declare, "Aaa", sql="SELECT nothing AS n FROM shop_customer")
    numbers(declare, "Bbb", m=models.IntegerField())
    numbers(declare, "Ccc")
    out = fails("ivm_install", match="2 of .* could not be installed")
    assert "shop.Aaa: " in out
    assert "nothing" in out
    assert "shop.Bbb: the field 'm' has no output" in out
    assert "shop.Ccc: installed" in out


def test_a_chain_changes_together(declare: Declare):
    parent = numbers(declare, "Parent", sql="SELECT id AS n FROM shop_customer")
    child = numbers(declare, "Child", sql="SELECT n FROM shop_parent")
    run("ivm_install")
    parent.sql = "SELECT id AS m, id AS n FROM shop_customer"
    parent.add_to_class("m", models.BigIntegerField())
    child.sql = "SELECT m + 1 AS n FROM shop_parent"
    run("ivm_install")
    parent.sql = "SELECT id AS m, 2 * id AS n FROM shop_customer WHERE id > 0"
    child.sql = "SELECT m + n AS n FROM shop_parent"
    run("ivm_install")
    customer = Customer.objects.create(name="Ann")
    assert child.objects.get().n == 3 * customer.pk


def test_a_renamed_column_takes_the_views_above_along(declare: Declare):
    parent = numbers(
        declare,
        "Parent",
        n=models.BigIntegerField(db_column="old"),
        sql="SELECT id AS old FROM shop_customer",
    )
    child = numbers(declare, "Child", sql="SELECT old AS n FROM shop_parent")
    run("ivm_install")
    parent._meta.get_field("n").column = "new"
    parent.sql = "SELECT id AS new FROM shop_customer"
    child.sql = "SELECT new AS n FROM shop_parent"
    run("ivm_install")
    customer = Customer.objects.create(name="Ann")
    assert child.objects.get().n == customer.pk


def test_install_online_is_refused_inside_a_transaction(declare: Declare):
    numbers(declare)
    out = fails("ivm_install", "shop.Numbers", online=True, match="1 of 1 views could not be installed")
    assert "can't be installed online inside a transaction" in out


def test_a_circle_is_named(declare: Declare):
    numbers(declare, "CircleA", sql="SELECT n FROM shop_circleb")
    numbers(declare, "CircleB", sql="SELECT n FROM shop_circlea")
    fails("ivm_install", match="circle: shop.Circle. → shop.Circle. → shop.Circle.")


def test_a_chain_is_installed_in_order(declare: Declare):
    numbers(declare, "Aaa", sql="SELECT n FROM shop_bbb")
    numbers(declare, "Bbb", sql="SELECT n FROM shop_ccc")
    numbers(declare, "Ccc")
    out = run("ivm_install")
    assert out.index("shop.Ccc") < out.index("shop.Bbb") < out.index("shop.Aaa")
    Customer.objects.create(name="Ann")
    assert execute("SELECT count(*) FROM shop_aaa") == [(1,)]


@pytest.mark.parametrize(
    "meta, ivm",
    [
        ({"db_table": "Größe × 2"}, {}),
        ({"db_table": "select"}, {}),
        ({"db_table": "camelCase"}, {}),
        ({"db_table": "x" * 63}, {}),
        ({"db_table": "ü" * 31}, {}),
        ({"db_table": "numbers"}, {"schema": "Reports"}),
        ({"db_table": '"Reports"."numbers"'}, {}),
    ],
)
def test_odd_names(declare: Declare, meta, ivm):
    execute('CREATE SCHEMA "Reports"')
    model = numbers(declare, meta=meta, ivm=ivm, n=models.BigIntegerField(db_column="A b", db_index=True),
                    sql='SELECT id AS "A b" FROM shop_customer')  # fmt: skip
    run("ivm_install", "shop.Numbers")
    customer = Customer.objects.create(name="Ann")
    assert model.objects.get(n__gt=0).n == customer.pk
    assert "shop.Numbers: ok, 1 rows" in run("ivm_verify", "shop.Numbers")
    run("ivm_install", "shop.Numbers", check=True)
    run("ivm_uninstall", "shop.Numbers")
    assert not model.status().installed


# ivm_uninstall


def test_uninstall_and_keep_data(declare: Declare):
    model = numbers(declare)
    run("ivm_install")
    Customer.objects.create(name="Ann")
    assert "shop.Numbers: removed, its data kept" in run("ivm_uninstall", "shop.Numbers", keep_data=True)
    assert model.objects.count() == 1
    Customer.objects.create(name="Bob")
    assert model.objects.count() == 1
    assert not model.status().installed
    assert "Nothing is installed" in run("ivm_uninstall", "shop.Numbers")


def test_uninstall_drops_the_table():
    run("ivm_uninstall", "shop.SegmentSize")
    assert execute("SELECT to_regclass('shop_segmentsize')") == [(None,)]


def test_uninstall_refuses_to_take_other_views_along():
    fails("ivm_uninstall", "shop.CustomerRevenue", match="Other views read these: shop.RevenueBand")
    assert CustomerRevenue.status().installed
    run("ivm_uninstall", "shop.CustomerRevenue", "shop.RevenueBand")
    assert not RevenueBand.status().installed


def test_one_name_in_two_schemas(declare: Declare):
    execute("CREATE SCHEMA one")
    execute("CREATE SCHEMA two")
    one = numbers(declare, "One", meta={"db_table": "same"}, ivm={"schema": "one"})
    two = numbers(
        declare,
        "Two",
        meta={"db_table": "same"},
        ivm={"schema": "two"},
        sql="SELECT -id AS n FROM shop_customer",
    )
    above = numbers(declare, "Above", sql="SELECT n FROM two.same")
    run("ivm_install")
    run("ivm_install", check=True)
    customer = Customer.objects.create(name="Ann")
    assert [model.objects.get().n for model in (one, two, above)] == [customer.pk, -customer.pk, -customer.pk]
    assert "shop.One: ok, 1 rows" in run("ivm_verify", "shop.One", "shop.Two", "shop.Above")
