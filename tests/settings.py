"""Two databases of one server: DATABASE_URL's, or one started for this run."""

from __future__ import annotations

from django_ivm import embedded

SECRET_KEY = "tests"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "pgtrigger",
    "django_ivm",
    "tests.shop",
    "tests.django.apps.library",
]
DATABASES = {
    "default": embedded.django_database(TEST={"NAME": "test_django_ivm"}),
    "other": embedded.django_database(TEST={"NAME": "test_django_ivm_other"}),
}
