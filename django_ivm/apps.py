"""The Django application."""

from __future__ import annotations

from django.apps import AppConfig


class DjangoIVMConfig(AppConfig):
    name = "django_ivm"
    label = "django_ivm"
    verbose_name = "Incremental views"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, checks_installed, hooks, registry  # noqa: F401  (checks register themselves on import)

        registry.autodiscover()
        hooks.connect()
