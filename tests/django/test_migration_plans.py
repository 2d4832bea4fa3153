"""Which tables a migration plan may touch, told from its operations alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently, BtreeGinExtension
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from django_ivm import hooks


@pytest.fixture(scope="module")
def apps_before():
    state = ProjectState()
    for operation in (
        migrations.CreateModel(
            "Thing",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("color", models.CharField(max_length=9)),
                ("amount", models.IntegerField()),
            ],
        ),
        migrations.CreateModel("Tag", [("id", models.BigAutoField(primary_key=True))], options={"db_table": "tags"}),
        migrations.CreateModel(
            "Part",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("thing", models.ForeignKey("app.Thing", models.CASCADE)),
                ("tags", models.ManyToManyField("app.Tag")),
            ],
        ),
        migrations.CreateModel("View", [("id", models.BigAutoField(primary_key=True))], options={"managed": False}),
    ):
        operation.state_forwards("app", state)
    return state.apps


def plan(*operations, backwards=False):
    return [(SimpleNamespace(app_label="app", operations=list(operations)), backwards)]


def nothing(apps, schema_editor):
    """A data migration."""


class Unknown(Operation):
    """An operation of some other package."""


NEW = models.IntegerField(default=0)
INDEX = models.Index(fields=["color"], name="i")
UNIQUE = models.UniqueConstraint(fields=["color"], name="u")


@pytest.mark.parametrize(
    "operation, tables",
    [
        (migrations.AddField("Thing", "new", NEW), set()),
        (migrations.RemoveField("Thing", "color"), {"app_thing"}),
        (migrations.RenameField("thing", "color", "colour"), {"app_thing"}),
        (migrations.AlterField("Thing", "amount", models.BigIntegerField()), {"app_thing"}),
        (migrations.AlterField("Thing", "id", models.UUIDField(primary_key=True)), {"app_thing", "app_part"}),
        (
            migrations.AlterField("Thing", "amount", models.IntegerField(help_text="How many", choices=[(1, "1")])),
            set(),
        ),
        (migrations.AlterField("Thing", "amount", models.IntegerField(db_column="a")), {"app_thing"}),
        (migrations.AlterField("Thing", "amount", models.IntegerField(null=True)), {"app_thing"}),
        (migrations.RenameModel("Thing", "Object"), {"app_thing", "app_part"}),
        (migrations.AlterModelTable("Tag", "labels"), {"tags"}),
        (migrations.DeleteModel("Part"), {"app_part", "app_part_tags"}),
        (migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))]), set()),
        (migrations.AddIndex("Thing", INDEX), set()),
        (AddIndexConcurrently("Thing", INDEX), set()),
        (migrations.RemoveIndex("Thing", "i"), set()),
        (migrations.AddConstraint("Thing", UNIQUE), set()),
        (migrations.RemoveConstraint("Thing", "u"), {"app_thing"}),
        (migrations.AlterUniqueTogether("Thing", {("color", "amount")}), {"app_thing"}),
        (migrations.AlterModelOptions("Thing", {"verbose_name": "x"}), set()),
        (migrations.AlterOrderWithRespectTo("Part", "thing"), {"app_part", "app_part_tags"}),
        (migrations.RunSQL("SELECT 1"), hooks.EVERYTHING),
        (migrations.RunSQL(migrations.RunSQL.noop, "SELECT 1"), set()),
        (migrations.RunPython(nothing), hooks.EVERYTHING),
        (migrations.RunPython(migrations.RunPython.noop, nothing), set()),
        (migrations.SeparateDatabaseAndState([], [migrations.RemoveField("Thing", "color")]), set()),
        (migrations.SeparateDatabaseAndState([migrations.RunSQL("SELECT 1")]), hooks.EVERYTHING),
        (migrations.SeparateDatabaseAndState([migrations.RemoveField("Thing", "color")]), {"app_thing"}),
        (BtreeGinExtension(), set()),
        (Unknown(), hooks.EVERYTHING),
        (migrations.RemoveField("View", "id"), set()),
        (migrations.RemoveField("Nowhere", "id"), set()),
    ],
    ids=lambda value: value.describe()[:60] if isinstance(value, Operation) else "",
)
def test_forwards(apps_before, operation, tables):
    assert hooks.touched_tables(plan(operation), apps_before, "default") == tables


@pytest.mark.parametrize(
    "operation, tables",
    [
        (migrations.AddField("Thing", "color", NEW), {"app_thing"}),
        (migrations.CreateModel("Tag", []), {"tags"}),
        (migrations.RenameModel("Old", "Thing"), {"app_thing", "app_part"}),
        (migrations.RunSQL("SELECT 1", migrations.RunSQL.noop), set()),
        (migrations.RunSQL("SELECT 1", "SELECT 2"), hooks.EVERYTHING),
        (migrations.RunPython(nothing, migrations.RunPython.noop), set()),
    ],
    ids=lambda value: value.describe()[:60] if isinstance(value, Operation) else "",
)
def test_backwards(apps_before, operation, tables):
    assert hooks.touched_tables(plan(operation, backwards=True), apps_before, "default") == tables


def test_a_plan_is_the_sum_of_its_migrations(apps_before):
    both = plan(migrations.RemoveField("Thing", "color")) + plan(migrations.AlterModelTable("Tag", "labels"))
    assert hooks.touched_tables(both, apps_before, "default") == {"app_thing", "tags"}
    assert hooks.touched_tables([*both, *plan(Unknown())], apps_before, "default") is hooks.EVERYTHING


def view(name, *sources, depends_on=()):
    return SimpleNamespace(name=name, sources=tuple(("public", table) for table in sources), depends_on=depends_on)


def test_views_of_touched_tables_and_all_above_them_are_affected():
    views = [
        view("a", "t"),
        view("b", "a", depends_on=("a",)),
        view("c", "b", depends_on=("b",)),
        view("d", "u"),
    ]
    assert [v.name for v in hooks.affected(views, {"t"})] == ["a", "b", "c"]
    assert [v.name for v in hooks.affected(views, {'"public"."u"'})] == ["d"]
    assert [v.name for v in hooks.affected(views, {'"other"."u"', "x"})] == []
    assert [v.name for v in hooks.affected(views, hooks.EVERYTHING)] == ["a", "b", "c", "d"]
