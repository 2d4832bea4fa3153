"""The refresh log in the admin, to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import RefreshLog


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows, never adds, changes or deletes; fit for view models too."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RefreshLog)
class RefreshLogAdmin(ReadOnlyAdmin):
    list_display = (
        "view_name",
        "database",
        "started_at",
        "duration",
        "strategy",
        "trigger",
        "deltas",
        "rows_inserted",
        "rows_updated",
        "rows_deleted",
        "failed",
    )
    list_filter = ("failed", "strategy", "trigger", "database", "view_name")
    search_fields = ("view_name", "reason", "error")
    date_hierarchy = "started_at"
