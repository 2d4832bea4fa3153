"""`on_error` in `class IVM`: from the model to what ivm_status says."""

from __future__ import annotations

import pytest
from django.db import DataError, models

from django_ivm.errors import DefinitionError
from django_ivm.models import RefreshLog
from tests.shop.models import Customer

from .conftest import Declare
from .shell import execute, run

pytestmark = pytest.mark.django_db

QUERY = "SELECT length(name) AS size, sum(100 / length(name)) AS share FROM shop_customer GROUP BY length(name)"


def shares(declare: Declare, **ivm: str) -> type[models.Model]:
    return declare(
        "Shares", ivm=ivm, size=models.IntegerField(primary_key=True), share=models.BigIntegerField(), sql=QUERY
    )


def test_a_write_goes_through_and_the_view_says_why_it_is_stale(declare: Declare) -> None:
    model = shares(declare, on_error="stale")
    run("ivm_install")
    Customer.objects.create(name="Ann")
    assert model.is_fresh()
    unnamed = Customer.objects.create(name="")
    Customer.objects.create(name="Bob")
    assert Customer.objects.count() == 3
    assert not model.is_fresh()
    assert list(model.objects.values_list("size", "share")) == [(3, 33)]
    assert "22012 division by zero" in model.status().cause
    out = run("ivm_status", "shop.Shares")
    assert "stale" in out
    assert "shop.Shares: stale: maintenance failed by insert on public.shop_customer: 22012 division by zero" in out
    unnamed.name = "Cleo"
    unnamed.save()
    run("ivm_refresh", "shop.Shares", stale=True)
    assert model.is_fresh()
    assert sorted(model.objects.values_list("size", "share")) == [(3, 66), (4, 25)]
    assert "division by zero" in RefreshLog.objects.filter(view_name="shop_shares").latest("id").reason
    assert execute("SELECT on_error FROM django_ivm.view WHERE view_name = 'shop_shares'") == [("stale",)]


def test_by_default_the_write_fails(declare: Declare) -> None:
    model = shares(declare)
    run("ivm_install")
    with pytest.raises(DataError, match="division by zero"):
        Customer.objects.create(name="")
    assert model._ivm_options.on_error == "raise"


def test_other_values_are_refused(declare: Declare) -> None:
    with pytest.raises(DefinitionError, match="on_error = 'ignore' in class IVM is none of its choices"):
        shares(declare, on_error="ignore")
