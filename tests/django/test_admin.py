"""The refresh log in the admin: to read, never to write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory, modify_settings

from django_ivm.models import RefreshLog
from tests.shop.ivm_views import CustomerRevenue, OrderRank

ADMIN = ["django.contrib.admin", "django.contrib.messages"]


@pytest.fixture
def admins() -> Iterator[list[Any]]:
    """The log's admin, and one that somebody made for a view."""
    with modify_settings(INSTALLED_APPS={"append": ADMIN}):
        from django.contrib.admin import AdminSite

        from django_ivm.admin import ReadOnlyAdmin, RefreshLogAdmin

        yield [RefreshLogAdmin(RefreshLog, AdminSite()), ReadOnlyAdmin(CustomerRevenue, AdminSite())]


@pytest.fixture
def request_of_root() -> Any:
    from django.contrib.auth.models import User

    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    return request


def test_read_only_even_for_a_superuser(admins, request_of_root):
    for admin in admins:
        assert admin.check() == []
        assert admin.has_view_permission(request_of_root)
        assert not admin.has_add_permission(request_of_root)
        assert not admin.has_change_permission(request_of_root)
        assert not admin.has_delete_permission(request_of_root)


def test_the_list_shows_the_latest_first(customers, admins, request_of_root):
    OrderRank.refresh(full=True)
    OrderRank.refresh()
    rows = list(admins[0].get_queryset(request_of_root))
    assert [row.view_name for row in rows] == ["shop_orderrank"] * 2
    assert rows[0].started_at >= rows[1].started_at
    for column in admins[0].list_display:
        assert hasattr(rows[0], column)
