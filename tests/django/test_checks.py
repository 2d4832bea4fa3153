"""Every system check, on a view that breaks it and on those that don't."""

from __future__ import annotations

import datetime

import pytest
from django.apps import apps
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, models
from django.utils import timezone

from django_ivm import checks
from tests.shop.models import Order

from .conftest import Declare


def offline() -> list:
    return [message for message in checks.check_views() if message.id.startswith("django_ivm")]


def in_database(*databases: str) -> list:
    return checks.check_views_in_databases(databases=databases or ("default",))


def one(messages: list, number: str):
    assert [message.id for message in messages] == [f"django_ivm.{number}"], messages
    return messages[0]


def test_the_shop_is_clean_and_needs_no_database(django_db_blocker):
    with django_db_blocker.block():
        assert offline() == []


@pytest.mark.django_db(databases=["default", "other"])
def test_the_shop_is_clean_in_its_databases():
    assert in_database("default", "other") == []


def test_checks_that_need_a_server_run_only_when_asked():
    assert checks.check_views_in_databases(databases=None) == []
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        in_database()


def test_E001_a_definition_that_cannot_be_used(declare: Declare):
    model = declare("V", n=models.IntegerField(), sql="SELECT %s AS n")
    message = one(offline(), "E001")
    assert message.obj is model
    assert "parameter left over" in message.msg


def test_E001_none(declare: Declare):
    declare("V", n=models.IntegerField(), get_queryset=classmethod(lambda cls: Order.objects.none()))
    assert "always empty" in one(offline(), "E001").msg


def test_E002_a_missing_sql_file(declare: Declare):
    declare("V", n=models.IntegerField(), sql_file="nowhere.sql")
    message = one(offline(), "E002")
    assert "shop/nowhere.sql" in message.msg
    assert message.hint.startswith("Create ")


def test_E007_a_constraint_that_refers_to_a_view(declare: Declare):
    view = declare("V", n=models.IntegerField(), sql="SELECT 1 AS n")
    note = type(
        "Note",
        (models.Model,),
        {
            "__module__": __name__,
            "view": models.ForeignKey(view, models.CASCADE, related_name="+"),
            "fine": models.ForeignKey(view, models.CASCADE, related_name="+", db_constraint=False),
            "Meta": type("Meta", (), {"app_label": "shop"}),
        },
    )
    try:
        message = one(offline(), "E007")
        assert message.obj is note._meta.get_field("view")
        assert "db_constraint=False" in message.hint
    finally:
        apps.all_models["shop"].pop("note")
        apps.clear_cache()


def test_E008_on_delete_and_many_to_many(declare: Declare):
    declare(
        "V",
        n=models.IntegerField(),
        order=models.ForeignKey("shop.Order", models.CASCADE, db_constraint=False, related_name="+"),
        tags=models.ManyToManyField("shop.Product", related_name="+"),
        sql="SELECT 1 AS n",
    )
    try:
        found = offline()
        assert [message.id for message in found] == ["django_ivm.E008"] * 2
        assert "many-to-many" in found[0].msg
        assert "on_delete is CASCADE" in found[1].msg
    finally:
        apps.all_models["shop"].pop("v_tags")


def test_E009_a_composite_key_that_may_be_null(declare: Declare):
    declare(
        "V",
        pk=models.CompositePrimaryKey("a", "b"),
        a=models.IntegerField(),
        b=models.IntegerField(null=True),
        sql="SELECT 1 AS a, 2 AS b",
    )
    message = one(offline(), "E009")
    assert "b is part of the primary key" in message.msg
    assert "surrogate id" in message.hint


def test_E010_a_circle(declare: Declare):
    declare("CircleA", n=models.IntegerField(), sql="SELECT n FROM shop_circleb")
    declare("CircleB", n=models.IntegerField(), sql="SELECT n FROM shop_circlea")
    assert "shop.CircleA" in one(offline(), "E010").msg


def test_E012_a_name_that_is_too_long(declare: Declare):
    declare("V", meta={"db_table": "ö" * 32}, n=models.IntegerField(), sql="SELECT 1 AS n")
    assert "64 bytes" in one(offline(), "E012").msg


def test_E013_an_unknown_database(declare: Declare):
    declare("V", ivm={"using": "nowhere"}, n=models.IntegerField(), sql="SELECT 1 AS n")
    assert one(offline(), "E013").hint == "Known databases: default, other."


@pytest.mark.parametrize("name", ["refresh", "verify", "explain", "status", "is_fresh"])
def test_W001_a_field_that_hides_a_method(declare: Declare, name):
    declare("V", **{name: models.IntegerField()}, sql=f"SELECT 1 AS {name}")
    message = one(offline(), "W001")
    assert f"get_view('shop_v').{name}()" in message.hint


@pytest.mark.parametrize(
    "literal, frozen",
    [
        (timezone.now, True),
        (lambda: timezone.now() - datetime.timedelta(days=7), True),
        (lambda: timezone.now().replace(second=0, microsecond=0), True),
        (lambda: datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC), False),
    ],
)
def test_W002_the_current_time(declare: Declare, literal, frozen):
    declare(
        "V",
        order=models.IntegerField(),
        get_queryset=classmethod(lambda cls: Order.objects.filter(placed__gt=literal()).values(order=models.F("pk"))),
    )
    found = offline()
    if frozen:
        assert "frozen" in one(found, "W002").msg
    else:
        assert found == []


@pytest.mark.parametrize("day, frozen", [(datetime.date.today, True), (lambda: datetime.date(2024, 2, 29), False)])
def test_W002_today(declare: Declare, day, frozen):
    value = models.Value(day(), output_field=models.DateField())
    declare(
        "V",
        day=models.DateField(),
        get_queryset=classmethod(lambda cls: Order.objects.annotate(day=value).values("day")),
    )
    assert [message.id for message in offline()] == (["django_ivm.W002"] if frozen else [])


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql, words",
    [
        ("SELEC 1 AS n", "syntax error"),
        ("SELECT 1 AS n FROM nowhere", 'relation "nowhere" does not exist'),
        ("SELECT nothing AS n FROM shop_order", 'column "nothing" does not exist'),
        ("DELETE FROM shop_order RETURNING id AS n", "syntax error"),
        ("SELECT 1 AS n; SELECT 2", "syntax error"),
    ],
)
def test_E003_a_query_the_database_refuses(declare: Declare, sql, words):
    declare("V", n=models.IntegerField(), sql=sql)
    message = one(in_database(), "E003")
    assert words in message.msg


@pytest.mark.django_db
def test_E004_and_E005_name_both_sides(declare: Declare):
    declare("V", total=models.IntegerField(), sql="SELECT count(*) AS n FROM shop_order")
    found = in_database()
    assert [message.id for message in found] == ["django_ivm.E004", "django_ivm.E005"]
    assert "'n'" in found[0].msg
    assert "'total'" in found[0].msg
    assert "n = models.BigIntegerField(null=True)" in found[0].hint


@pytest.mark.django_db
def test_W003_a_field_of_another_type(declare: Declare):
    declare("V", n=models.IntegerField(), sql="SELECT 'x'::text AS n")
    message = one(in_database(), "W003")
    assert message.hint.endswith("n = models.TextField(null=True)")


@pytest.mark.django_db
def test_E011_incremental_was_asked_for_and_cannot_be(declare: Declare):
    declare(
        "V",
        ivm={"strategy": "incremental"},
        order=models.BigIntegerField(),
        place=models.BigIntegerField(),
        sql='SELECT id AS "order", (id * random())::bigint AS place FROM shop_order',
    )
    assert "incremental" in one(in_database(), "E011").msg
    assert in_database("default")[0].hint


@pytest.mark.django_db
def test_pending_migrations_silence_what_they_may_mend(declare: Declare):
    declare("V", n=models.IntegerField(), sql="SELECT 1 AS n FROM nowhere")
    assert in_database()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'shop'")
    assert in_database() == []


@pytest.mark.django_db
def test_a_view_that_reads_one_not_installed_yet_is_left_for_later(declare: Declare):
    declare("Parent", n=models.IntegerField(), sql="SELECT 1 AS n")
    declare("Child", n=models.IntegerField(), sql="SELECT n FROM shop_parent")
    assert in_database() == []


@pytest.mark.django_db
def test_the_check_command_fails_on_errors(declare: Declare):
    declare("V", total=models.IntegerField(), sql="SELECT count(*) AS n FROM shop_order")
    call_command("check", verbosity=0)
    with pytest.raises(SystemCheckError, match="django_ivm.E004"):
        call_command("check", databases=["default"], verbosity=0)
    assert (
        Tags.database in {tag for check in run_checks.__self__.registered_checks for tag in check.tags}
        if hasattr(run_checks, "__self__")
        else True
    )
