"""`migrate` with views installed: what is detached, put back, installed, and what happens when that fails."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models
from django.test import modify_settings, override_settings
from django.test.utils import CaptureQueriesContext

import django_ivm
from django_ivm.engine import install
from tests.shop.ivm_views import CustomerRevenue

from .conftest import Declare

Migrate = Callable[..., str]
BY_COLOR = "SELECT color, sum({0}) AS total FROM evolving_sale GROUP BY color"


def migrate(target: str = "", app: str = "evolving", **options: Any) -> str:
    """Run `migrate` as from a shell; what it printed."""
    out = io.StringIO()
    call_command("migrate", *[part for part in (app, target) if part], stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def evolving(transactional_db: None) -> Iterator[None]:
    """The app `evolving` at its first migration, with a few sales."""
    with modify_settings(INSTALLED_APPS={"append": "tests.django.apps.evolving"}):
        migrate("0001")
        execute(
            "INSERT INTO evolving_sale (color, amount, note) VALUES ('red', 1, ''), ('red', 2, ''), ('blue', 3, '')"
        )
        yield
        for view in reversed(install.installed(connection)):
            if any(table.startswith("evolving_") for _, table in view.sources) or not view.label:
                django_ivm.drop_view(view.name, cascade=True)
        migrate("zero")


def execute(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def rows(view: Any) -> list[tuple[Any, ...]]:
    return sorted(execute(f"SELECT color, total::int FROM {view.table}"))


def installed(name: str) -> install.InstalledView:
    [view] = [view for view in install.installed(connection) if view.name == name]
    return view


def declare_totals(declare: Declare, column: str) -> Any:
    return declare(
        "Totals",
        color=models.TextField(primary_key=True),
        total=models.DecimalField(max_digits=20, decimal_places=2),
        sql=BY_COLOR.format(column),
    )


def totals(model: Any) -> dict[str, int]:
    return {row.color: int(row.total) for row in model.objects.all()}


def test_a_new_view_is_installed_and_a_flush_runs_no_ddl(evolving, declare: Declare):
    model = declare_totals(declare, "amount")
    assert "Installed incremental view shop.Totals (was missing)" in migrate("0001")
    assert totals(model) == {"red": 3, "blue": 3}
    assert "shop.Totals" not in migrate("0001")
    before = installed("shop_totals")
    with CaptureQueriesContext(connection) as queries:
        call_command("flush", interactive=False, verbosity=0)
    texts = [query["sql"].lstrip().split(None, 1)[0].upper() for query in queries]
    assert not {"CREATE", "ALTER", "DROP", "COMMENT"} & set(texts)
    ours = [query["sql"] for query in queries if "django_ivm." in query["sql"]]
    assert len(ours) <= 2, ours  # however many views there are
    assert installed("shop_totals") == before
    assert totals(model) == {}


def test_harmless_migrations_leave_views_alone(evolving):
    view = django_ivm.create_view("by_color", BY_COLOR.format("amount"))
    before = installed("by_color")
    assert "Detached" not in migrate("0002")
    assert installed("by_color") == before
    execute("INSERT INTO evolving_sale (color, amount, note, extra) VALUES ('red', 4, '', 0)")
    assert rows(view) == [("blue", 3), ("red", 7)]


def test_a_view_changed_with_its_source_s_column(evolving, declare: Declare):
    model = declare_totals(declare, "amount")
    migrate("0002")
    model.sql = BY_COLOR.format("price")
    out = migrate("0003")
    assert "Detached incremental views: shop.Totals" in out
    assert "Installed incremental view shop.Totals (was outdated)" in out
    execute("INSERT INTO evolving_sale (color, price, note, extra) VALUES ('red', 4, '', 0)")
    assert totals(model) == {"red": 7, "blue": 3}
    assert model.verify().ok


def test_a_column_that_the_view_does_not_read(evolving):
    migrate("0003")
    view = django_ivm.create_view("by_color", BY_COLOR.format("price"))
    django_ivm.create_view("grand_total", f"SELECT sum(total) AS total FROM {view.table}")
    out = migrate("0004")
    assert "Detached incremental views: by_color, grand_total" in out
    execute("UPDATE evolving_sale SET price = 10 WHERE color = 'blue'")
    assert rows(view) == [("blue", 10), ("red", 3)]
    assert execute("SELECT total::int FROM grand_total") == [(13,)]
    for name in ("by_color", "grand_total"):
        assert django_ivm.get_view(name).verify().ok
        assert django_ivm.get_view(name).is_fresh()


def test_a_view_that_no_longer_fits_stays_stale_and_writes_go_on(evolving, caplog):
    view = django_ivm.create_view("by_color", BY_COLOR.format("amount"))
    out = migrate("0003")
    assert "Could not install the incremental view by_color" in out
    assert 'column "amount" does not exist' in out
    assert any("by_color" in record.getMessage() for record in caplog.records if record.name == "django_ivm")
    execute("INSERT INTO evolving_sale (color, price, note, extra) VALUES ('red', 4, '', 0)")
    assert rows(view) == [("blue", 3), ("red", 3)]
    assert not view.is_fresh()
    migrate("0001")  # the old column is back, and so is the view
    assert rows(view) == [("blue", 3), ("red", 7)]
    assert view.is_fresh()


def test_a_data_migration(evolving):
    migrate("0004")
    view = django_ivm.create_view("by_color", BY_COLOR.format("price"))
    assert "Detached incremental views:" in migrate("0005")
    assert rows(view) == [("blue", 6), ("red", 6)]
    assert view.verify().ok


def test_a_migration_that_dies_leaves_a_view_that_says_it_is_stale(evolving):
    migrate("0005")
    view = django_ivm.create_view("by_color", BY_COLOR.format("price"))
    with pytest.raises(DatabaseError, match="division by zero"):
        migrate("0006")
    assert not view.is_fresh()
    assert view.status().stale
    execute("DELETE FROM evolving_sale WHERE color = 'blue'")
    migrate("0005")
    assert view.is_fresh()
    assert [color for color, _ in rows(view)] == ["red"]


def test_turned_off_nothing_is_detached(evolving):
    migrate("0003")
    django_ivm.create_view("by_color", "SELECT note AS color, count(*) AS total FROM evolving_sale GROUP BY note")
    view = django_ivm.get_view("by_color")
    try:
        with override_settings(DJANGO_IVM_INSTALL_ON_MIGRATE=False):
            assert "by_color" not in migrate("0004")
    except DatabaseError:  # since Django 6; before, dropping a column cascaded to what depends on it
        assert view.verify().ok
        assert view.is_fresh()
    else:
        assert view.status().outdated
        assert not view.is_fresh()


def test_turned_off_nothing_is_installed(evolving, declare: Declare):
    declare_totals(declare, "amount")
    with override_settings(DJANGO_IVM_INSTALL_ON_MIGRATE=False):
        migrate("0001")
    assert "shop_totals" not in {view.name for view in install.installed(connection)}


def test_one_failing_view_stops_neither_migrate_nor_the_others(evolving, declare: Declare):
    declare("Aaa", n=models.IntegerField(), sql="SELECT nothing AS n FROM evolving_sale")
    declare("Bbb", n=models.IntegerField(), get_queryset=classmethod(lambda cls: None))
    declare("Ccc", m=models.IntegerField(), sql="SELECT 1 AS n")
    model = declare_totals(declare, "amount")
    out = migrate("0001")
    assert "Could not install the incremental view shop.Aaa" in out
    assert "Could not install the incremental view shop.Bbb" in out
    assert "output 'n' has no field" in out
    assert totals(model) == {"red": 3, "blue": 3}
    assert CustomerRevenue.status().installed


def test_a_circle_is_reported_and_the_others_are_installed(evolving, declare: Declare):
    declare("CircleA", n=models.IntegerField(), sql="SELECT n FROM shop_circleb")
    declare("CircleB", n=models.IntegerField(), sql="SELECT n FROM shop_circlea")
    assert "in a circle" in migrate("0001")


def test_a_view_waits_quietly_for_a_table_to_come(evolving, declare: Declare):
    declare(
        "Remarks",
        n=models.BigIntegerField(),
        sql="SELECT count(*) AS n FROM evolving_remark",
    )
    declare("AboveRemarks", n=models.BigIntegerField(), sql="SELECT n FROM shop_remarks")
    assert "Remarks" not in migrate("0002")
    out = migrate("0002", verbosity=2)
    assert "shop.Remarks waits for evolving.Remark" in out
    assert "shop.AboveRemarks waits for shop.Remarks" in out
    out = migrate("0004")
    assert "Installed incremental view shop.Remarks" in out
    assert "Installed incremental view shop.AboveRemarks" in out
