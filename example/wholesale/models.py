"""TPC-H's eight tables as an ordinary Django app: nothing here knows of incremental views."""

from __future__ import annotations

from django.db import models


def money() -> models.DecimalField:
    return models.DecimalField(max_digits=15, decimal_places=2)


class Region(models.Model):
    name = models.CharField(max_length=25)
    comment = models.CharField(max_length=152)

    def __str__(self) -> str:
        return self.name


class Nation(models.Model):
    name = models.CharField(max_length=25)
    region = models.ForeignKey(Region, models.PROTECT, related_name="nations")
    comment = models.CharField(max_length=152)

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    name = models.CharField(max_length=25)
    address = models.CharField(max_length=40)
    nation = models.ForeignKey(Nation, models.PROTECT, related_name="customers")
    phone = models.CharField(max_length=15)
    balance = money()
    segment = models.CharField(max_length=10)
    comment = models.CharField(max_length=117)

    def __str__(self) -> str:
        return self.name


class Part(models.Model):
    name = models.CharField(max_length=55)
    manufacturer = models.CharField(max_length=25)
    brand = models.CharField(max_length=10)
    type = models.CharField(max_length=25)
    size = models.IntegerField()
    container = models.CharField(max_length=10)
    retail_price = money()
    comment = models.CharField(max_length=23)

    def __str__(self) -> str:
        return self.name


class Supplier(models.Model):
    name = models.CharField(max_length=25)
    address = models.CharField(max_length=40)
    nation = models.ForeignKey(Nation, models.PROTECT, related_name="suppliers")
    phone = models.CharField(max_length=15)
    balance = money()
    comment = models.CharField(max_length=101)

    def __str__(self) -> str:
        return self.name


class PartSupp(models.Model):
    """What a supplier has of a part, and what it costs there."""

    part = models.ForeignKey(Part, models.CASCADE, related_name="offers")
    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="offers")
    available = models.IntegerField()
    supply_cost = money()
    comment = models.CharField(max_length=199)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["part", "supplier"], name="wholesale_offer")]

    def __str__(self) -> str:
        return f"part {self.part_id} from supplier {self.supplier_id}"


class Order(models.Model):
    class Status(models.TextChoices):
        OPEN = "O"
        FILLED = "F"
        PARTLY = "P"

    class Priority(models.TextChoices):
        URGENT = "1-URGENT"
        HIGH = "2-HIGH"
        MEDIUM = "3-MEDIUM"
        UNSPECIFIED = "4-NOT SPECIFIED"
        LOW = "5-LOW"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    status = models.CharField(max_length=1, choices=Status, default=Status.OPEN)
    total_price = money()
    order_date = models.DateField()
    priority = models.CharField(max_length=15, choices=Priority)
    clerk = models.CharField(max_length=15)
    ship_priority = models.IntegerField(default=0)
    comment = models.CharField(max_length=79, blank=True)

    def __str__(self) -> str:
        return f"order {self.pk}"


class LineItem(models.Model):
    # Migration 0002 lets the database cascade too: purges are plain SQL and never pass through Django.
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    part = models.ForeignKey(Part, models.PROTECT, related_name="lines")
    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="lines")
    line_number = models.IntegerField()
    quantity = money()
    extended_price = money()
    discount = money()
    tax = money()
    return_flag = models.CharField(max_length=1, default="N")
    line_status = models.CharField(max_length=1, default="O")
    ship_date = models.DateField()
    commit_date = models.DateField()
    receipt_date = models.DateField()
    ship_instructions = models.CharField(max_length=25)
    ship_mode = models.CharField(max_length=10)
    comment = models.CharField(max_length=44, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "line_number"], name="wholesale_line")]

    def __str__(self) -> str:
        return f"order {self.order_id}, line {self.line_number}"
