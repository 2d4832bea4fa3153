"""As the last migration leaves it. Tests install this app only while they migrate it back and forth."""

from __future__ import annotations

from django.db import models


class Sale(models.Model):
    color = models.TextField()
    price = models.DecimalField(max_digits=8, decimal_places=2)

    def __str__(self) -> str:
        return self.color


class Remark(models.Model):
    """Refers to a view."""

    revenue = models.ForeignKey("shop.CustomerRevenue", models.DO_NOTHING, db_constraint=False, related_name="remarks")
    text = models.TextField()

    def __str__(self) -> str:
        return self.text
