"""Reading views as a site does: managers, relations, async, inside tests that roll back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.test import TestCase, TransactionTestCase, modify_settings

import django_ivm
from tests.shop.ivm_views import (
    CustomerProduct,
    CustomerRevenue,
    OpenOrder,
    OrderRank,
    RevenueBand,
    SegmentSize,
)
from tests.shop.models import Customer, Item, Order, Product

from .conftest import PLACED, Declare


def test_the_test_database_has_the_views(db):
    for model in (CustomerRevenue, SegmentSize, CustomerProduct, OpenOrder, RevenueBand, OrderRank):
        status = model.status()
        assert status.installed, model
        assert not status.outdated, model


def test_declared_indexes_are_in_the_database(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'shop_customerrevenue'")
        assert ("shop_custrev_revenue",) in cursor.fetchall()
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'shop_openorder'")
        assert any("(customer_id)" in definition for (definition,) in cursor.fetchall())


def test_views_follow_every_kind_of_write(customers):
    ann, bob = customers

    def revenue():
        return {row.customer_id: (row.orders, row.revenue) for row in CustomerRevenue.objects.all()}

    assert revenue() == {ann.pk: (2, Decimal("120.00"))}
    Order.objects.bulk_create([Order(customer=bob, placed=PLACED, amount=n) for n in (1, 2, 3)])
    assert revenue()[bob.pk] == (3, Decimal("6.00"))
    Order.objects.filter(customer=bob).update(customer=ann)
    assert revenue() == {ann.pk: (5, Decimal("126.00"))}
    order = Order.objects.first()
    order.amount = 1000
    order.save()
    assert RevenueBand.objects.get(big=True).customers == 1
    ann.delete()
    assert revenue() == {}
    assert not RevenueBand.objects.exists()
    for model in (CustomerRevenue, RevenueBand, SegmentSize, OpenOrder, CustomerProduct):
        assert model.verify().ok
        assert model.is_fresh()


def test_null_groups_and_odd_columns(customers):
    assert {(row.segment, row.size) for row in SegmentSize.objects.all()} == {("retail", 1), (None, 1)}
    assert SegmentSize.objects.get(segment=None).pk is not None
    assert SegmentSize.objects.filter(segment__isnull=True).values_list("size", flat=True).get() == 1


def test_a_composite_key(customers):
    ann, _ = customers
    product = Product.objects.create(sku="a", name="A", price=2)
    order = Order.objects.filter(customer=ann).first()
    Item.objects.create(order=order, product=product, quantity=3)
    Item.objects.create(order=order, product=product, quantity=4)
    Item.objects.create(order=order, product=None, quantity=5)
    row = CustomerProduct.objects.get(pk=(ann.pk, product.pk))
    assert row.quantity == 7
    assert row.product == product


def test_foreign_keys_from_a_view(customers, django_assert_num_queries):
    with django_assert_num_queries(1):
        row = CustomerRevenue.objects.select_related("customer__nation__region").get()
        assert row.customer.nation.region.name == "Europe"
    with django_assert_num_queries(2):
        [opened, _] = OpenOrder.objects.prefetch_related("customer").order_by("pk")
        assert opened.customer.name == "Ann"
    assert CustomerRevenue.objects.filter(customer__name="Ann", revenue__gt=100).count() == 1
    assert Order.objects.filter(pk__in=OpenOrder.objects.filter(amount__gt=60).values("pk")).count() == 1


def test_foreign_keys_to_a_view(customers, django_assert_num_queries):
    ann, _ = customers
    with modify_settings(INSTALLED_APPS={"append": "tests.django.apps.evolving"}):
        from tests.django.apps.evolving.models import Remark

        apps.clear_cache()  # overridden settings leave the known relations as they were
        with connection.schema_editor() as editor:
            editor.create_model(Remark)
        Remark.objects.create(revenue_id=ann.pk, text="good")
        Remark.objects.create(revenue_id=12345, text="of nobody")
        with django_assert_num_queries(1):
            remark = Remark.objects.select_related("revenue__customer").get(text="good")
            assert remark.revenue.revenue == 120
            assert remark.revenue.customer == ann
        assert Remark.objects.get(revenue__customer__name="Ann").text == "good"
        assert CustomerRevenue.objects.get(remarks__text="good").orders == 2
        assert list(CustomerRevenue.objects.get().remarks.all()) == [remark]
        ann.delete()
        assert Remark.objects.count() == 2


def test_async_reads(transactional_db, customers):
    async def read():
        row = await CustomerRevenue.objects.select_related("customer").aget(customer__name="Ann")
        found = [each.size async for each in SegmentSize.objects.order_by("size")]
        return (
            row.customer.name,
            row.orders,
            found,
            await OpenOrder.objects.acount(),
            await RevenueBand.objects.aexists(),
        )

    assert async_to_sync(read)() == ("Ann", 2, [1, 1], 2, True)


def test_a_rolled_back_write_leaves_no_trace(customers):
    ann, _ = customers
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.create(customer=ann, placed=PLACED, amount=5)
        assert CustomerRevenue.objects.get().orders == 3
        Order.objects.create(customer=ann, placed=None, amount=5)
    assert CustomerRevenue.objects.get().orders == 2


DIRECT_WRITE = pytest.raises(DatabaseError, match="takes no direct")


@pytest.mark.parametrize("sql", ["DELETE FROM {}", "UPDATE {} SET orders = 0", "TRUNCATE {}"])
def test_the_database_refuses_what_goes_round_the_model(customers, sql):
    table = django_ivm.get_view("shop_customerrevenue").table
    with DIRECT_WRITE, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(table))
    with DIRECT_WRITE, transaction.atomic():
        models.QuerySet(CustomerRevenue).update(orders=0)
    assert CustomerRevenue.objects.get().orders == 2


def test_a_manual_view_is_stale_until_refreshed(customers):
    assert OrderRank.status().strategy == "full"
    OrderRank.refresh()
    before = [row.order_id for row in OrderRank.objects.order_by("place")]
    assert OrderRank.is_fresh()
    order = Order.objects.get(pk=before[-1])
    order.amount = 5000
    order.save()
    assert not OrderRank.is_fresh()
    assert [row.order_id for row in OrderRank.objects.order_by("place")] == before
    result = OrderRank.refresh()
    assert (result.strategy, result.failed) == ("full", False)
    assert OrderRank.objects.get(place=1).order_id == order.pk
    assert OrderRank.is_fresh()


def test_the_refresh_log_tells(customers):
    from django_ivm.models import RefreshLog

    OrderRank.refresh(full=True)
    entry = RefreshLog.objects.first()
    assert (entry.view_name, entry.database, entry.strategy, entry.failed) == (
        "shop_orderrank", "default", "full", False,
    )  # fmt: skip
    assert entry.duration.total_seconds() >= 0
    assert "shop_orderrank on default: full" in str(entry)


def test_class_methods_and_handles_agree(customers):
    handle = django_ivm.get_view("shop_customerrevenue")
    assert CustomerRevenue.explain().strategy == handle.explain().strategy == "incremental"
    assert CustomerRevenue.status(using="default").rows == handle.status().rows
    assert CustomerRevenue.refresh(full=True).view == handle.refresh(full=True).view


@pytest.mark.django_db(databases=["default", "other"])
def test_each_database_has_its_own(declare: Declare):
    Customer.objects.using("other").create(name="Zoe", segment="web")
    assert SegmentSize.objects.using("other").get().segment == "web"
    assert not SegmentSize.objects.exists()
    assert SegmentSize.verify(using="other").ok
    assert SegmentSize.status(using="other").installed


class TestRollingBack(TestCase):
    """The classic way to write Django tests: each test in a transaction, class data in an outer one."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ann = Customer.objects.create(name="Ann", segment="x")

    def test_one(self) -> None:
        Order.objects.create(customer=self.ann, placed=PLACED, amount=5)
        assert CustomerRevenue.objects.get().revenue == 5

    def test_two(self) -> None:
        assert not CustomerRevenue.objects.exists()
        Order.objects.create(customer=self.ann, placed=PLACED, amount=7)
        OrderRank.refresh()
        assert OrderRank.objects.count() == 1
        assert SegmentSize.objects.get().size == 1


class TestFlushing(TransactionTestCase):
    """And the other: really committed, then flushed by TRUNCATE."""

    def test_one(self) -> None:
        ann = Customer.objects.create(name="Ann")
        Order.objects.create(customer=ann, placed=PLACED, amount=5)
        assert CustomerRevenue.objects.get().revenue == 5

    test_two = test_one
