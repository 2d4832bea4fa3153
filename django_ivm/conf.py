"""The package's settings, read at each use so that `override_settings` works."""

from __future__ import annotations

from django.conf import settings


def install_on_migrate() -> bool:
    """`DJANGO_IVM_INSTALL_ON_MIGRATE` (default True): `migrate` detaches, re-attaches and installs views."""
    return bool(getattr(settings, "DJANGO_IVM_INSTALL_ON_MIGRATE", True))
