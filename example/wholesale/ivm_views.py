"""The shop's dashboards: each class is a table that is equal to its query after every write, the last after a refresh.

All three ways to define a view are here: `get_queryset()`, `sql`, and `sql_file`.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Avg, Count, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Round

from django_ivm import IncrementalView

from .models import LineItem, Order


def total() -> models.DecimalField:
    return models.DecimalField(max_digits=30, decimal_places=4)


# A view's table comes and goes with ivm_install, so no constraint ties it to the shop's tables.
UNTIED: dict[str, Any] = {"on_delete": models.DO_NOTHING, "db_constraint": False, "related_name": "+"}


def key_to(model: str) -> models.OneToOneField:
    """A view's key that is the key of one of the shop's tables."""
    return models.OneToOneField(model, primary_key=True, **UNTIED)


class OrderPriorities(IncrementalView):
    """One table: how many orders wait at each priority."""

    priority = models.CharField(max_length=15, choices=Order.Priority, primary_key=True)
    orders = models.BigIntegerField()
    open_orders = models.BigIntegerField()
    average_price = models.DecimalField(max_digits=30, decimal_places=16)

    @classmethod
    def get_queryset(cls) -> QuerySet:
        return Order.objects.values("priority").annotate(
            orders=Count("*"),
            open_orders=Count("id", filter=Q(status=Order.Status.OPEN)),
            average_price=Avg("total_price"),
        )


class CustomerRevenue(IncrementalView):
    """A join of two tables: what each customer has ordered, and for how much."""

    customer = key_to("wholesale.Customer")
    lines = models.BigIntegerField()
    revenue = total()

    class Meta:
        # The ten best are read from this end.
        indexes = [models.Index(fields=["-revenue", "customer"], name="customer_revenue_top")]

    @classmethod
    def get_queryset(cls) -> QuerySet:
        return LineItem.objects.values(customer=F("order__customer")).annotate(
            lines=Count("*"),
            revenue=Sum(F("extended_price") * (1 - F("discount"))),
        )


class TopCustomers(IncrementalView):
    """A view on a view: the ten best customers. The name breaks no tie, the key does."""

    customer = key_to("wholesale.Customer")
    revenue = total()

    class Meta:
        ordering = ["-revenue", "customer_id"]

    @classmethod
    def get_queryset(cls) -> QuerySet:
        return CustomerRevenue.objects.order_by("-revenue", "customer_id").values("customer", "revenue")[:10]


class NationRevenue(IncrementalView):
    """A view on a view, joined with tables: a customer who moves takes the revenue along."""

    nation = key_to("wholesale.Nation")
    name = models.CharField(max_length=25)
    region = models.CharField(max_length=25)
    customers = models.BigIntegerField()
    revenue = total()

    sql = """
        SELECT n.id AS nation_id, n.name, r.name AS region, count(*) AS customers, sum(cr.revenue) AS revenue
        FROM wholesale_customerrevenue cr
        JOIN wholesale_customer c ON c.id = cr.customer_id
        JOIN wholesale_nation n ON n.id = c.nation_id
        JOIN wholesale_region r ON r.id = n.region_id
        GROUP BY n.id, n.name, r.name
    """


class NationYear(IncrementalView):
    """A join of three tables under a composite key."""

    pk = models.CompositePrimaryKey("nation_id", "year")
    nation = models.ForeignKey("wholesale.Nation", **UNTIED)
    year = models.IntegerField()
    lines = models.BigIntegerField()
    revenue = total()

    # EXTRACT takes a date as it is; date_trunc would make it a timestamp of the session's time zone.
    sql = """
        SELECT c.nation_id, EXTRACT(year FROM o.order_date)::integer AS year,
               count(*) AS lines, sum(l.extended_price * (1 - l.discount)) AS revenue
        FROM wholesale_lineitem l
        JOIN wholesale_order o ON o.id = l.order_id
        JOIN wholesale_customer c ON c.id = o.customer_id
        GROUP BY c.nation_id, EXTRACT(year FROM o.order_date)::integer
    """


class PricingSummary(IncrementalView):
    """TPC-H's first query, from a file."""

    pk = models.CompositePrimaryKey("return_flag", "line_status")
    return_flag = models.CharField(max_length=1)
    line_status = models.CharField(max_length=1)
    quantity = total()
    base_price = total()
    discounted_price = total()
    charge = models.DecimalField(max_digits=30, decimal_places=6)
    average_quantity = models.DecimalField(max_digits=30, decimal_places=16)
    average_price = models.DecimalField(max_digits=30, decimal_places=16)
    average_discount = models.DecimalField(max_digits=30, decimal_places=16)
    lines = models.BigIntegerField()

    sql_file = "sql/pricing_summary.sql"


class PartPrices(IncrementalView):
    """Least and greatest: a price that goes away brings back the next one."""

    part = key_to("wholesale.Part")
    brand = models.CharField(max_length=10)
    lines = models.BigIntegerField()
    lowest = total()
    highest = total()

    @classmethod
    def get_queryset(cls) -> QuerySet:
        unit_price = Round(F("extended_price") / F("quantity"), 2)
        return LineItem.objects.values("part", brand=F("part__brand")).annotate(
            lines=Count("*"), lowest=Min(unit_price), highest=Max(unit_price)
        )


class LargeOrders(IncrementalView):
    """HAVING: an order enters the list when its lines sum up to enough, and leaves it again."""

    order = key_to("wholesale.Order")
    customer = models.ForeignKey("wholesale.Customer", **UNTIED)
    pieces = models.DecimalField(max_digits=30, decimal_places=2)

    @classmethod
    def get_queryset(cls) -> QuerySet:
        return (
            LineItem.objects.values("order", customer=F("order__customer"))
            .annotate(pieces=Sum("quantity"))
            .filter(pieces__gt=250)
        )


class UrgentLines(IncrementalView):
    """A plain join, without a key: two equal lines are two rows."""

    customer = models.CharField(max_length=25)
    order_date = models.DateField()
    part = models.ForeignKey("wholesale.Part", **UNTIED)
    quantity = models.DecimalField(max_digits=15, decimal_places=2)

    class Meta:
        indexes = [models.Index(fields=["order_date"], name="urgent_lines_date")]

    sql = """
        SELECT c.name AS customer, o.order_date, l.part_id, l.quantity
        FROM wholesale_lineitem l
        JOIN wholesale_order o ON o.id = l.order_id
        JOIN wholesale_customer c ON c.id = o.customer_id
        WHERE o.priority = '1-URGENT' AND o.status = 'O'
    """


class OrdersPerCustomer(IncrementalView):
    """An aggregate of an aggregate: how many customers have how many orders."""

    orders = models.BigIntegerField(primary_key=True)
    customers = models.BigIntegerField()

    sql = """
        SELECT orders, count(*) AS customers
        FROM (SELECT customer_id, count(*) AS orders FROM wholesale_order GROUP BY customer_id) AS counted
        GROUP BY orders
    """


class MedianPrices(IncrementalView):
    """A median looks at all lines of a nation, and an order touches several nations: that is too much work for every
    write, so this view asks for full refreshes and is stale until the next one.
    """

    nation = key_to("wholesale.Nation")
    lines = models.BigIntegerField()
    median_price = models.FloatField()

    class IVM:
        strategy = "full"

    sql = """
        SELECT s.nation_id, count(*) AS lines,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY l.extended_price::double precision) AS median_price
        FROM wholesale_lineitem l
        JOIN wholesale_supplier s ON s.id = l.supplier_id
        GROUP BY s.nation_id
    """
