"""Settings of the example. Without `DATABASE_URL` a private server is started, and ends with the process."""

from __future__ import annotations

from django_ivm.embedded import django_database

SECRET_KEY = "an example has no secrets"
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = ["django_ivm", "example.wholesale"]
DATABASES = {"default": django_database()}

# The demo installs its views when the data is loaded, and shows it.
DJANGO_IVM_INSTALL_ON_MIGRATE = False
