"""A small wholesale shop: every kind of column and edge that a view meets."""

from __future__ import annotations

from django.db import models


class Region(models.Model):
    name = models.CharField(max_length=40, unique=True)

    def __str__(self) -> str:
        return self.name


class Nation(models.Model):
    region = models.ForeignKey(Region, models.CASCADE, related_name="nations")
    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    nation = models.ForeignKey(Nation, models.SET_NULL, null=True, blank=True, related_name="customers")
    name = models.CharField(max_length=80)
    segment = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001 -- NULL group keys are wanted
    credit = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    sku = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    weight = models.FloatField(null=True, blank=True)
    tags = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return self.sku


class Order(models.Model):
    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        CANCELLED = "cancelled"

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    placed = models.DateTimeField()
    shipped = models.DateField(null=True, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    note = models.TextField(null=True, blank=True)  # noqa: DJ001 -- NULL beside the empty string is wanted

    def __str__(self) -> str:
        return f"order {self.pk}"


class Item(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, models.CASCADE, null=True, blank=True, related_name="items")
    quantity = models.IntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    discount = models.DecimalField(max_digits=4, decimal_places=2, null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"
