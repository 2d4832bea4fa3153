"""Fresh on read: `fresh()` in every mode, on every kind of queryset, with and without a drain."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, models, transaction
from django.db.models import Count, OuterRef, Q, Subquery, Sum
from django.test import TestCase

import django_ivm
from django_ivm import IncrementalView
from django_ivm.models import RefreshLog
from tests.shop.ivm_views import CustomerRevenue, OrderRank, RevenueBand
from tests.shop.models import Customer, Order

from .conftest import PLACED, Declare
from .shell import execute, run

MODES = ("immediate", "commit", "deferred", "manual")


def install(*labels: str, **options: Any) -> None:
    run("ivm_install", *labels, **options)


def revenue(declare: Declare, mode: str = "deferred", name: str = "Revenue", **attributes: Any) -> Any:
    """A view of groups with their own key."""
    model = declare(
        name,
        ivm={"mode": mode},
        **{
            "customer": models.OneToOneField(
                "shop.Customer", models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
            ),
            "orders": models.BigIntegerField(),
            "revenue": models.DecimalField(max_digits=20, decimal_places=2, null=True),
            "get_queryset": classmethod(
                lambda cls: Order.objects.values("customer").annotate(orders=Count("*"), revenue=Sum("amount"))
            ),
            **attributes,
        },
    )
    install(model._meta.label)
    return model


def segments(declare: Declare, mode: str = "deferred", **options: Any) -> Any:
    """A view of groups with a surrogate key."""
    model = declare(
        "Segments",
        ivm={"mode": mode},
        segment=models.CharField(max_length=20, null=True),
        size=models.BigIntegerField(db_column="Size"),
        get_queryset=staticmethod(lambda: Customer.objects.values("segment").annotate(size=Count("pk"))),
        **options,
    )
    install(model._meta.label)
    return model


def wanted() -> dict[int, tuple[int, Decimal]]:
    """What a view of the revenue should say, by its query."""
    found = execute("SELECT customer_id, count(*), sum(amount) FROM shop_order GROUP BY customer_id")
    return {customer: (orders, amount) for customer, orders, amount in found}


def seen(queryset: models.QuerySet[Any]) -> dict[int, tuple[int, Decimal]]:
    assert all(isinstance(row, IncrementalView) for row in queryset)
    return {row.customer_id: (row.orders, row.revenue) for row in queryset}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode(customers: list[Customer], declare: Declare, mode: str) -> None:
    model = revenue(declare, mode)
    ann, bob = customers
    assert seen(model.objects.fresh()) == wanted()
    for write in (
        lambda: Order.objects.create(customer=bob, placed=PLACED, amount=7),
        lambda: Order.objects.filter(customer=ann).update(amount=models.F("amount") + 1),
        lambda: Order.objects.filter(customer=ann).first().delete(),
        lambda: Order.objects.all().delete(),
    ):
        write()
        assert seen(model.objects.fresh()) == wanted()
        assert model.is_fresh()


def test_nothing_is_refreshed_that_its_triggers_keep(customers: list[Customer]) -> None:
    Order.objects.create(customer=customers[1], placed=PLACED, amount=7)
    assert seen(CustomerRevenue.objects.fresh()) == wanted()
    assert not RefreshLog.objects.exists()


def test_a_full_view_is_computed_anew_when_it_is_stale(customers: list[Customer]) -> None:
    assert OrderRank.objects.fresh().count() == 2
    assert RefreshLog.objects.get().trigger == "fresh"
    assert OrderRank.objects.fresh().count() == 2
    assert RefreshLog.objects.count() == 1


def test_what_the_view_reads_comes_first(customers: list[Customer], declare: Declare) -> None:
    first = revenue(declare, "manual", "First")
    second = declare(
        "Second",
        ivm={"mode": "deferred"},
        big=models.BooleanField(primary_key=True),
        n=models.BigIntegerField(),
        sql="SELECT revenue > 100 AS big, count(*) AS n FROM shop_first GROUP BY revenue > 100",
    )
    third = declare(
        "Third",
        ivm={"mode": "deferred"},
        n=models.BigIntegerField(primary_key=True),
        m=models.BigIntegerField(),
        sql="SELECT n, count(*) AS m FROM shop_second GROUP BY n",
    )
    install("shop.Second", "shop.Third")
    Order.objects.create(customer=customers[1], placed=PLACED, amount=7)
    assert {row.n: row.m for row in third.objects.fresh()} == {1: 2}
    assert {row.big: row.n for row in second.objects.all()} == {True: 1, False: 1}
    assert seen(first.objects.all()) == wanted()


@pytest.mark.parametrize("drain", [True, False])
def test_querysets_of_every_kind(customers: list[Customer], declare: Declare, drain: bool) -> None:
    model = revenue(declare)
    ann, bob = customers
    Order.objects.create(customer=bob, placed=PLACED, amount=7)
    fresh = model.objects.fresh(drain=drain)
    assert fresh.get(pk=bob.pk).revenue == 7
    assert model.objects.filter(orders=1).fresh(drain=drain).get().customer_id == bob.pk
    assert fresh.count() == 2
    assert fresh.filter(orders__gt=5).count() == 0
    assert fresh.filter(revenue=7).exists()
    assert fresh.aggregate(Sum("revenue"))["revenue__sum"] == 127
    assert list(fresh.order_by("-revenue").values_list("revenue", flat=True)) == [120, 7]
    assert [row.customer.name for row in fresh.select_related("customer").order_by("revenue")] == ["Bob", "Ann"]
    assert fresh.filter(customer__name="Bob").get().pk == bob.pk
    assert model.objects.filter(customer__name="Bob").fresh(drain=drain).get().pk == bob.pk
    assert model.objects.order_by("customer__name").fresh(drain=drain)[1].pk == bob.pk
    assert fresh.exclude(customer__orders__amount=7).get().pk == ann.pk
    assert fresh.values("orders").annotate(n=Count("*")).order_by("orders")[0] == {"orders": 1, "n": 1}
    assert set(Customer.objects.filter(pk__in=fresh.values("pk"))) == {ann, bob}
    of = fresh.filter(pk=OuterRef("pk")).values("revenue")
    assert Customer.objects.annotate(revenue=Subquery(of)).get(pk=bob.pk).revenue == 7
    assert fresh.in_bulk() == {row.pk: row for row in fresh}
    assert fresh.distinct().count() == 2
    assert fresh.filter(Q(pk=ann.pk) | Q(revenue=7)).count() == 2
    assert (fresh.filter(pk=ann.pk) | fresh.filter(pk=bob.pk)).count() == 2
    assert fresh.filter(pk=ann.pk).union(fresh.filter(pk=bob.pk)).count() == 2
    assert fresh.none().count() == 0
    assert copy.deepcopy(fresh).count() == 2
    assert model.objects.count() == (2 if drain else 1)
    assert fresh.fresh(drain=drain).count() == 2


@pytest.mark.parametrize("drain", [True, False])
def test_async(customers: list[Customer], declare: Declare, drain: bool) -> None:
    model = revenue(declare)
    Order.objects.create(customer=customers[1], placed=PLACED, amount=7)

    async def read() -> list[Any]:
        queryset = await model.objects.filter(orders__gt=0).afresh(drain=drain)
        return [row.revenue async for row in queryset.order_by("revenue")]

    assert async_to_sync(read)() == [7, 120]


@pytest.mark.django_db(databases=["default", "other"])
def test_of_another_database(customers: list[Customer], declare: Declare) -> None:
    model = revenue(declare)
    install(model._meta.label, database="other")
    there = Customer.objects.using("other").create(name="Cid")
    Order.objects.using("other").create(customer=there, placed=PLACED, amount=3)
    Order.objects.create(customer=customers[1], placed=PLACED, amount=7)
    assert model.objects.using("other").fresh(drain=False).get().revenue == 3
    assert model.objects.using("other").count() == 0
    assert model.objects.using("other").fresh().get().revenue == 3
    assert model.objects.db_manager("other").fresh().db == "other"
    assert model.objects.count() == 1
    assert model.objects.fresh(drain=False).count() == 2


class ReadsElsewhere:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"


def test_reads_where_it_was_refreshed(customers: list[Customer], declare: Declare, settings: Any) -> None:
    model = revenue(declare)
    settings.DATABASE_ROUTERS = [ReadsElsewhere()]
    assert model.objects.all().db == "other"
    assert model.objects.fresh().db == "default"
    assert model.objects.fresh(drain=False).db == "default"


# Without a drain


def test_nothing_is_written(customers: list[Customer], declare: Declare) -> None:
    model = revenue(declare)
    Order.objects.create(customer=customers[1], placed=PLACED, amount=7)
    queryset = model.objects.fresh(drain=False)
    with transaction.atomic():
        execute("SET TRANSACTION READ ONLY")
        assert seen(queryset) == wanted()
        transaction.set_rollback(True)
    assert seen(model.objects.all()) != wanted()
    assert model.status().pending
    assert not RefreshLog.objects.exists()


def test_it_is_as_of_the_moment_of_reading(customers: list[Customer], declare: Declare) -> None:
    model = revenue(declare)
    queryset = model.objects.fresh(drain=False)
    for amount in (1, 2, 3):
        Order.objects.create(customer=customers[1], placed=PLACED, amount=amount)
        assert seen(queryset.all()) == wanted()
        model.refresh()
        assert seen(queryset.all()) == wanted()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE shop_item, shop_order")
    assert seen(queryset.all()) == {}


def test_a_surrogate_key(customers: list[Customer], declare: Declare) -> None:
    model = segments(declare)
    before = {row.segment: row.pk for row in model.objects.all()}
    Customer.objects.create(name="Cid", segment="retail")
    Customer.objects.create(name="Dan", segment="whole")
    Customer.objects.create(name="Eve", segment="sale")
    found = {row.segment: row for row in model.objects.fresh(drain=False)}
    assert {name: row.size for name, row in found.items()} == {"retail": 2, None: 1, "whole": 1, "sale": 1}
    assert {name: row.pk for name, row in found.items() if name in before} == before
    new = {found["whole"].pk, found["sale"].pk}
    assert len(new) == 2
    assert max(new) < 0


def test_a_table_with_a_schema(customers: list[Customer], declare: Declare) -> None:
    execute("CREATE SCHEMA own")
    model = revenue(declare, name="Own", IVM=type("IVM", (), {"mode": "deferred", "schema": "own"}))
    ann, bob = customers
    Order.objects.create(customer=bob, placed=PLACED, amount=7)
    fresh = model.objects.fresh(drain=False)
    assert seen(fresh) == wanted()
    assert fresh.filter(customer__name="Bob").get().pk == bob.pk
    assert model.objects.filter(customer__name="Bob").fresh(drain=False).get().pk == bob.pk
    joined = model.objects.select_related("customer").order_by("-customer__name").fresh(drain=False)
    assert [row.customer.name for row in joined] == ["Bob", "Ann"]
    assert set(Customer.objects.filter(pk__in=fresh.values("pk"))) == {ann, bob}
    assert seen(model.objects.fresh()) == wanted()


def test_where_the_plan_allows_none(customers: list[Customer], declare: Declare) -> None:
    model = declare(
        "Largest",
        ivm={"mode": "deferred"},
        status=models.CharField(max_length=10, primary_key=True),
        largest=models.DecimalField(max_digits=12, decimal_places=2),
        sql="SELECT status, max(amount) AS largest FROM shop_order GROUP BY status",
    )
    install("shop.Largest")
    with pytest.raises(django_ivm.IVMError, match=r"max\(.*doesn't follow") as caught:
        model.objects.fresh(drain=False)
    assert caught.value.code == "RESIDUAL"
    assert "fresh()" in caught.value.hint
    assert model.explain().residual.startswith("no: max(")
    assert "read with what is pending added: no" in run("ivm_explain", "shop.Largest")
    assert "yes" in revenue(declare).explain().residual
    Order.objects.create(customer=customers[1], placed=PLACED, amount=7, status="paid")
    assert model.objects.fresh().count() == 2


@pytest.mark.parametrize("mode", ["immediate", "commit", "manual"])
def test_other_modes_are_read_as_they_are_while_they_are_fresh(
    customers: list[Customer], declare: Declare, mode: str
) -> None:
    model = revenue(declare, mode)
    assert seen(model.objects.fresh(drain=False)) == wanted()
    Order.objects.create(customer=customers[1], placed=PLACED, amount=7)
    if mode == "immediate":
        assert seen(model.objects.fresh(drain=False)) == wanted()
        execute("INSERT INTO django_ivm.stale (view_schema, view_name, reason) VALUES ('public', 'shop_revenue', '')")
    with pytest.raises(django_ivm.IVMError, match="stale") as caught:
        model.objects.fresh(drain=False)
    assert caught.value.code == "RESIDUAL"
    assert seen(model.objects.fresh()) == wanted()
    assert seen(model.objects.fresh(drain=False)) == wanted()


def test_what_can_t_be_combined(customers: list[Customer], declare: Declare) -> None:
    model = revenue(declare)
    fresh = model.objects.fresh(drain=False)
    for combine in (lambda: model.objects.all() | fresh, lambda: fresh & model.objects.all()):
        with pytest.raises(TypeError, match="its kind"):
            combine()
    with pytest.raises(django_ivm.IVMError, match="after union"):
        model.objects.union(model.objects.all()).fresh(drain=False)


def test_a_view_that_is_not_there(db: None, declare: Declare) -> None:
    model = declare("Absent", n=models.BigIntegerField(primary_key=True), sql="SELECT 1 AS n FROM shop_customer")
    for drain in (True, False):
        with pytest.raises(django_ivm.NotInstalledError):
            model.objects.fresh(drain=drain)


def test_writing_is_refused_as_ever(customers: list[Customer], declare: Declare) -> None:
    with pytest.raises(django_ivm.ReadOnlyViewError):
        revenue(declare).objects.fresh(drain=False).delete()


class FreshInATestCase(TestCase):
    """Inside the transaction of a TestCase, with data of setUpTestData."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ann = Customer.objects.create(name="Ann")
        Order.objects.create(customer=cls.ann, placed=PLACED, amount=200)

    def test_fresh(self) -> None:
        assert RevenueBand.objects.fresh().get().customers == 1
        assert OrderRank.objects.fresh().get().place == 1
        with transaction.atomic():
            Order.objects.create(customer=self.ann, placed=PLACED, amount=1)
            assert OrderRank.objects.fresh().count() == 2
            transaction.set_rollback(True)
        assert OrderRank.objects.fresh().count() == 1
