"""Throw-away view classes, and rows of the shop."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps

from django_ivm import IncrementalView
from tests.shop.models import Customer, Nation, Order, Region

Declare = Callable[..., type[IncrementalView]]


@pytest.fixture
def declare() -> Iterator[Declare]:
    """``declare("Name", meta={…}, ivm={…}, field=…, sql="…")``: a view model of the shop, for one test."""
    made: list[Any] = []

    def make(
        name: str,
        /,
        *,
        meta: dict[str, Any] | None = None,
        ivm: dict[str, Any] | None = None,
        bases: tuple[type, ...] = (IncrementalView,),
        **attributes: Any,
    ) -> type[IncrementalView]:
        if ivm is not None:
            attributes["IVM"] = type("IVM", (), ivm)
        attributes["Meta"] = type("Meta", (), {"app_label": "shop", **(meta or {})})
        made.append(type(IncrementalView)(name, bases, {"__module__": __name__, **attributes}))
        return made[-1]

    yield make
    for model in made:
        apps.all_models["shop"].pop(model._meta.model_name, None)
    apps.clear_cache()


PLACED = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)


@pytest.fixture
def customers(db: None) -> list[Customer]:
    """Two customers, the first with a segment and two orders, the second with neither."""
    nation = Nation.objects.create(region=Region.objects.create(name="Europe"), name="France")
    ann = Customer.objects.create(nation=nation, name="Ann", segment="retail")
    bob = Customer.objects.create(nation=None, name="Bob", segment=None)
    Order.objects.create(customer=ann, placed=PLACED, amount=70)
    Order.objects.create(customer=ann, placed=PLACED + datetime.timedelta(days=1), amount=50)
    return [ann, bob]
