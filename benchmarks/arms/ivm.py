"""django_ivm: kept inside each write (``immediate``) or commit (``commit``), drained (``deferred``) or recomputed
(``manual``) when asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core import BenchError
from .base import Arm

if TYPE_CHECKING:
    from ..core import Scenario


class _Ivm(Arm):
    mode = ""
    strategy = ""

    @property
    def name(self) -> str:
        """The view's name; get_view() finds views by it alone, so every schema's is another."""
        return f"view_{self.schema}"

    def install(self, scenario: Scenario) -> None:
        import django_ivm

        django_ivm.create_view(self.name, scenario.query, mode=self.mode, strategy=self.strategy, using=self.schema)

    def uninstall(self, scenario: Scenario) -> None:
        import django_ivm

        django_ivm.drop_view(self.name, using=self.schema)

    def handle(self) -> Any:
        import django_ivm

        return django_ivm.get_view(self.name, using=self.schema)

    def relation(self, scenario: Scenario) -> str:
        return str(self.handle().table)


class Immediate(_Ivm):
    key = "immediate"
    label = "django_ivm immediate"
    mode = "immediate"
    strategy = "incremental"
    maintained = True
    taxed = True


class Commit(_Ivm):
    key = "commit"
    label = "django_ivm commit"
    mode = "commit"
    strategy = "incremental"
    maintained = True
    taxed = True


class Deferred(_Ivm):
    key = "deferred"
    label = "django_ivm deferred + drain"
    mode = "deferred"
    strategy = "incremental"
    taxed = True

    def refresh(self, scenario: Scenario) -> None:
        result = self.handle().refresh()
        if result.failed:
            raise BenchError(f"drain of {self.name} failed: {result.error}")


class Manual(_Ivm):
    key = "manual"
    label = "django_ivm manual + refresh"
    mode = "manual"
    strategy = "auto"
    taxed = True

    def refresh(self, scenario: Scenario) -> None:
        result = self.handle().refresh(full=True)
        if result.failed:
            raise BenchError(f"refresh of {self.name} failed: {result.error}")


def configure(dsn: str, schemas: list[str]) -> None:
    """Set Django up in this process with one database alias a schema, and make the tables of its apps.

    Every alias is the same database with another search_path, as each arm has its own copy of the tables.
    """
    import django
    from django.conf import settings
    from django.core.management import call_command

    from django_ivm import embedded

    def entry(search_path: str) -> dict[str, Any]:
        return embedded.django_database(dsn, OPTIONS={"options": f"-c search_path={search_path}"})

    settings.configure(
        DATABASES={"default": entry("public"), **{s: entry(f"{s},public") for s in schemas}},
        INSTALLED_APPS=["django_ivm"],
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def disconnect() -> None:
    """Close Django's connections, so that the benchmark's database can be dropped."""
    from django.db import connections

    connections.close_all()
