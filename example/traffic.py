"""A day at the shop: ordinary Django writes, and two that pass Django by."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Round
from psycopg import sql

from example.wholesale.models import Customer, LineItem, Nation, Order, Part, Supplier

CENT = Decimal("0.01")
FIRST_DAY = date(1998, 1, 1)
SHIP_MODES = ("AIR", "MAIL", "RAIL", "SHIP", "TRUCK")


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of traffic: `act` is one transaction and returns the number of rows it wrote."""

    title: str
    times: int
    act: Callable[[], int]


class Shop:
    """Draws what happens from `seed`; every method is one transaction."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.prices = dict(Part.objects.values_list("id", "retail_price"))
        self.parts = list(self.prices)
        self.suppliers = list(Supplier.objects.values_list("id", flat=True))
        self.nations = list(Nation.objects.values_list("id", flat=True))
        self.customers = list(Customer.objects.values_list("id", flat=True))
        self.orders = list(Order.objects.order_by("id").values_list("id", flat=True))

    def day(self, share: float) -> list[Scene]:
        """The scenes in order; `share` of 1 is a full day."""

        def times(number: int) -> int:
            return max(1, round(number * share))

        imported, upserted, purged = times(2500), times(500), times(200)
        return [
            Scene("new orders", times(500), self.place_order),
            Scene("price corrections", times(500), self.correct_price),
            Scene("shipments", times(200), self.ship),
            Scene("cancellations", times(100), self.cancel),
            Scene("customers who move", times(100), self.move),
            Scene(f"bulk import, {imported * 4:,} lines by COPY", 1, lambda: self.import_orders(imported)),
            Scene("upsert of old and new lines", 1, lambda: self.upsert(upserted)),
            Scene("accounts closed, Django cascades", times(5), self.close_account),
            Scene("purge, the database cascades", 1, lambda: self.purge(purged)),
        ]

    @transaction.atomic
    def place_order(self) -> int:
        order = self._order()
        order.save()
        lines = [self._line(order, number) for number in range(1, self.random.randint(2, 8))]
        LineItem.objects.bulk_create(lines)
        self.orders.append(order.pk)
        return 1 + len(lines)

    @transaction.atomic
    def correct_price(self) -> int:
        line = LineItem.objects.filter(pk=self._any_line().pk)
        factor = Decimal(self.random.randint(80, 120)) / 100
        return line.update(extended_price=Round(F("extended_price") * factor, 2))

    @transaction.atomic
    def ship(self) -> int:
        order = self._any_line().order
        order.status = Order.Status.FILLED
        order.save(update_fields=["status"])
        return 1 + order.lines.update(line_status="F")

    @transaction.atomic
    def cancel(self) -> int:
        order = self._any_line().order
        self.orders.remove(order.pk)
        return order.delete()[0]

    @transaction.atomic
    def move(self) -> int:
        customer = Customer.objects.get(pk=self.random.choice(self.customers))
        customer.nation_id = self.random.choice(self.nations)
        customer.save(update_fields=["nation"])
        return 1

    @transaction.atomic
    def import_orders(self, number: int) -> int:
        orders = Order.objects.bulk_create([self._order() for _ in range(number)])
        self.orders += [order.pk for order in orders]
        lines = [self._line(order, number) for order in orders for number in range(1, 5)]
        fields = LineItem._meta.local_concrete_fields[1:]
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(LineItem._meta.db_table),
            sql.SQL(", ").join(sql.Identifier(field.column) for field in fields),
        )
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for line in lines:
                copy.write_row([getattr(line, field.attname) for field in fields])
        return len(orders) + len(lines)

    @transaction.atomic
    def upsert(self, number: int) -> int:
        old = list(LineItem.objects.filter(order__in=self.random.sample(self.orders, number)))
        for line in old:
            line.pk = None
            line.quantity += 1
        orders = Order.objects.filter(pk__in=self.random.sample(self.orders, number))
        new = [self._line(order, 8) for order in orders]
        LineItem.objects.bulk_create(
            old + new,
            update_conflicts=True,
            unique_fields=["order", "line_number"],
            update_fields=["quantity"],
        )
        return len(old) + len(new)

    @transaction.atomic
    def close_account(self) -> int:
        customer = Customer.objects.get(pk=self._any_line().order.customer_id)
        self.customers.remove(customer.pk)
        gone = set(customer.orders.values_list("pk", flat=True))
        self.orders = [order for order in self.orders if order not in gone]
        return customer.delete()[0]

    @transaction.atomic
    def purge(self, number: int) -> int:
        oldest, self.orders = self.orders[:number], self.orders[number:]
        lines = LineItem.objects.filter(order__in=oldest).count()
        with connection.cursor() as cursor:
            # One statement, two tables: the foreign key deletes the lines.
            cursor.execute("DELETE FROM wholesale_order WHERE id = ANY(%s)", [oldest])
            return cursor.rowcount + lines

    def _any_line(self) -> LineItem:
        while True:
            lines = LineItem.objects.filter(order=self.random.choice(self.orders))
            line = lines.select_related("order").first()
            if line is not None:
                return line

    def _order(self) -> Order:
        return Order(
            customer_id=self.random.choice(self.customers),
            status=Order.Status.OPEN,
            total_price=Decimal(self.random.randint(10_000, 50_000_000)) * CENT,
            order_date=FIRST_DAY + timedelta(self.random.randrange(200)),
            priority=self.random.choice(Order.Priority.values),
            clerk=f"Clerk#{self.random.randint(1, 100):09}",
        )

    def _line(self, order: Order, number: int) -> LineItem:
        part, quantity = self.random.choice(self.parts), self.random.randint(1, 50)
        shipped = order.order_date + timedelta(self.random.randint(1, 121))
        return LineItem(
            order=order,
            part_id=part,
            supplier_id=self.random.choice(self.suppliers),
            line_number=number,
            quantity=Decimal(quantity),
            extended_price=self.prices[part] * quantity,
            discount=Decimal(self.random.randint(0, 10)) * CENT,
            tax=Decimal(self.random.randint(0, 8)) * CENT,
            ship_date=shipped,
            commit_date=order.order_date + timedelta(self.random.randint(30, 90)),
            receipt_date=shipped + timedelta(self.random.randint(1, 30)),
            ship_instructions="NONE",
            ship_mode=self.random.choice(SHIP_MODES),
        )
