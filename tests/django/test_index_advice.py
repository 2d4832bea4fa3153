"""Missing indexes are told as a Django project would write them, and never created."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection, models

from django_ivm import DefinitionError
from tests.shop.models import Customer, Item, Order

from .conftest import PLACED, Declare

LARGEST = "SELECT status, max(amount) AS largest FROM shop_order GROUP BY status"


def warnings() -> list[Any]:
    return list(run_checks(tags=[Tags.database], databases=["default"]))


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE schemaname NOT LIKE 'pg\\_%%'")
        return {name for (name,) in cursor.fetchall()}


def fill(orders: int) -> None:
    customer = Customer.objects.create(name="Ann")
    Order.objects.bulk_create(
        Order(customer=customer, placed=PLACED, amount=i, status=["open", "paid"][i % 2]) for i in range(orders)
    )
    Item.objects.bulk_create(Item(order=order, quantity=1) for order in Order.objects.all())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # an index can't be created while checks are pending
        cursor.execute("ANALYZE shop_order, shop_item")


@pytest.fixture
def largest(declare: Declare) -> Any:
    fields = {
        "status": models.CharField(max_length=10),
        "largest": models.DecimalField(max_digits=12, decimal_places=2),
    }
    return declare("Largest", **fields, sql=LARGEST)


@pytest.mark.django_db
def test_W004_a_look_up_without_an_index(largest: Any):
    fill(1500)
    before = indexes()
    (message,) = warnings()
    assert (message.id, message.obj) == ("django_ivm.W004", largest)
    assert "public.shop_order (about 1,500) up by status, amount" in message.msg
    prefix = "Add to Meta.indexes of shop.Order: "
    assert message.hint.startswith(prefix)
    assert indexes() == before

    index = eval(message.hint.removeprefix(prefix), {"models": models})
    assert index.fields == ["status", "amount"]
    assert len(index.name) <= 30
    with connection.schema_editor(atomic=False) as editor:
        editor.add_index(Order, index)
    assert warnings() == []
    assert largest.explain().indexes == ()


@pytest.mark.django_db
def test_small_tables_are_left_to_explain(largest: Any):
    fill(10)
    assert warnings() == []
    (index,) = largest.explain().indexes
    assert (index.small, index.rows, index.columns) == (True, 10, ("status", "amount"))
    assert "small, not needed now" in str(largest.explain())


@pytest.mark.django_db
def test_columns_are_told_by_their_fields(declare: Declare):
    """The foreign key's column is product_id, its field product."""
    declare(
        "Ranked",
        item=models.BigIntegerField(),
        place=models.BigIntegerField(),
        sql="SELECT id AS item, rank() OVER (PARTITION BY product_id ORDER BY quantity) AS place FROM shop_item",
    )
    fill(1200)
    assert warnings() == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'shop_item' AND indexdef LIKE '%(product_id)'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX "{name}"')
    (message,) = warnings()
    assert 'models.Index(fields=["product"], name="' in message.hint


@pytest.mark.django_db
def test_a_table_without_a_model_gets_a_statement(declare: Declare):
    with connection.cursor() as cursor:
        cursor.execute('CREATE TABLE "Reading" (id int PRIMARY KEY, "the sensor" int NOT NULL, v int)')
        cursor.execute('INSERT INTO "Reading" SELECT i, i % 9, i FROM generate_series(1, 2000) i')
        cursor.execute('ANALYZE "Reading"')
    declare(
        "Last",
        sensor=models.IntegerField(),
        v=models.IntegerField(),
        sql='SELECT "the sensor" AS sensor, max(v) AS v FROM "Reading" GROUP BY "the sensor"',
    )
    (message,) = warnings()
    assert message.hint == 'Run: CREATE INDEX ON "public"."Reading" ("the sensor", "v")'
    with connection.cursor() as cursor:
        cursor.execute(message.hint.removeprefix("Run: "))
    assert warnings() == []


@pytest.mark.django_db
def test_a_view_for_full_refreshes_needs_none(declare: Declare):
    fields = {
        "status": models.CharField(max_length=10),
        "largest": models.DecimalField(max_digits=12, decimal_places=2),
    }
    declare("Largest", ivm={"strategy": "full"}, **fields, sql=LARGEST)
    fill(1500)
    assert warnings() == []


@pytest.mark.django_db
def test_prefer_is_an_option_of_the_model(declare: Declare):
    with pytest.raises(DefinitionError, match="prefer = 'fast' in class IVM is none of its choices"):
        declare("Wrong", ivm={"prefer": "fast"}, n=models.IntegerField(), sql="SELECT 1 AS n")
    view = declare(
        "Kinds",
        ivm={"prefer": "recompute"},
        customer=models.BigIntegerField(),
        kinds=models.BigIntegerField(),
        sql="SELECT customer_id AS customer, count(DISTINCT status) AS kinds FROM shop_order GROUP BY customer_id",
    )
    (choice,) = view.explain().choices
    assert choice.endswith("computed anew for the groups that a write touches, because the view prefers recompute")
    assert "chosen by cost:" in str(view.explain())
