"""One view of each way to declare one; the tests of the Django half read them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, F, Sum

from django_ivm import IncrementalView

from .models import Customer, Item, Order


class CustomerRevenue(IncrementalView):
    """A queryset grouped by a foreign key that is the view's own key."""

    customer = models.OneToOneField(
        "shop.Customer", models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )
    orders = models.BigIntegerField()
    revenue = models.DecimalField(max_digits=20, decimal_places=2, null=True)

    class Meta:
        indexes = [models.Index(fields=["-revenue"], name="shop_custrev_revenue")]

    @classmethod
    def get_queryset(cls) -> models.QuerySet[Any]:
        return Order.objects.values("customer").annotate(orders=Count("*"), revenue=Sum("amount"))


class SegmentSize(IncrementalView):
    """Group keys that may be NULL, so no field can be the key: a surrogate id."""

    segment = models.CharField(max_length=20, null=True)  # noqa: DJ001 -- a group key that may be NULL
    size = models.BigIntegerField(db_column="Size")

    @staticmethod
    def get_queryset() -> models.QuerySet[Any]:
        return Customer.objects.values("segment").annotate(size=Count("pk"))


class CustomerProduct(IncrementalView):
    """A join, and a key of two columns."""

    pk = models.CompositePrimaryKey("customer_id", "product_id")
    customer = models.ForeignKey("shop.Customer", models.DO_NOTHING, db_constraint=False, related_name="+")
    product = models.ForeignKey("shop.Product", models.DO_NOTHING, db_constraint=False, related_name="+")
    quantity = models.BigIntegerField()

    @classmethod
    def get_queryset(cls) -> models.QuerySet[Any]:
        return (
            Item.objects.filter(product__isnull=False)
            .values("product_id", customer=F("order__customer_id"))
            .annotate(quantity=Sum("quantity"))
        )


class OpenOrder(IncrementalView):
    """SQL in a file, one row for each row of a table."""

    order = models.OneToOneField(
        "shop.Order",
        models.DO_NOTHING,
        db_column="id",
        primary_key=True,
        db_constraint=False,
        related_name="+",
    )
    customer = models.ForeignKey("shop.Customer", models.DO_NOTHING, db_constraint=False, related_name="+")
    amount = models.DecimalField(max_digits=12, decimal_places=2)

    sql_file = "../django/sql/open_orders.sql"


class RevenueBand(IncrementalView):
    """SQL text that reads another view, declared with fields in another order than the query's."""

    customers = models.BigIntegerField()
    big = models.BooleanField(null=True)

    sql = """
        SELECT revenue > 100 AS big, count(*) AS customers
        FROM shop_customerrevenue GROUP BY revenue > 100
    """


class OrderRank(IncrementalView):
    """A window function, recomputed in full when asked."""

    order = models.OneToOneField(
        "shop.Order", models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
    )
    place = models.BigIntegerField()

    class IVM:
        mode = "manual"
        strategy = "full"

    sql = "SELECT id AS order_id, rank() OVER (ORDER BY amount DESC, id) AS place FROM shop_order"
