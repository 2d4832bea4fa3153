"""From a model to its SQL, outputs, indexes and names."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

import pytest
from django.db import connection, connections, models
from django.db.models import Count, Exists, F, OuterRef, Q, Sum, Value

from django_ivm import DefinitionError, definition, queryset
from tests.shop.ivm_views import CustomerRevenue, OpenOrder, SegmentSize
from tests.shop.models import Customer, Item, Order, Product, Region

from .conftest import Declare

NOON = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)

QUERYSETS = {
    "quotes": lambda: Customer.objects.filter(name='O\'Brien "x" \\ %s %% 100%').values("name"),
    "like": lambda: Customer.objects.filter(name__contains="50%_\\'x").values("name"),
    "decimal": lambda: Order.objects.filter(amount__gt=Decimal("1.50")).values("amount"),
    "timestamp": lambda: Order.objects.filter(placed__gt=NOON).values("placed"),
    "date": lambda: Order.objects.filter(placed__date=NOON.date()).values("placed"),
    "choices": lambda: Order.objects.filter(status__in=list(Order.Status)).values("status"),
    "uuid": lambda: Order.objects.values(u=Value(uuid.UUID(int=7), output_field=models.UUIDField())),
    "json": lambda: Product.objects.filter(tags__contains=["it's"]).values("tags"),
    "null": lambda: Order.objects.values(x=Value(None, output_field=models.TextField())),
    "exists": lambda: Customer.objects.filter(Exists(Order.objects.filter(customer=OuterRef("pk")))),
    "having": lambda: Order.objects.values("customer").annotate(n=Count("pk")).filter(n__gt=1),
    "filter": lambda: Order.objects.values("status").annotate(n=Count("pk", filter=Q(note="50%"))),
    "union": lambda: Order.objects.values("customer_id").union(Customer.objects.values("pk"), all=True),
    "slice": lambda: Order.objects.order_by("-amount", "pk").values("pk", "amount")[:3],
    "distinct": lambda: Order.objects.values("status").distinct(),
}


@pytest.mark.parametrize("make", QUERYSETS.values(), ids=QUERYSETS)
def test_a_queryset_s_sql_runs_without_parameters_and_means_the_same(customers, make):
    Customer.objects.create(name='O\'Brien "x" \\ %s %% 100%')
    Customer.objects.create(name="a50%_\\'xb")
    Product.objects.create(sku="s", name="p", price=1, tags=["it's"])
    Order.objects.filter(amount=50).update(note="50%", status="paid")
    queryset_ = make()
    sql, outputs = queryset.compile_queryset(queryset_, "default", "V")
    with connection.cursor() as cursor:
        cursor.execute(sql, None)
        names = [column.name for column in cursor.description]
        found = [tuple(map(str, row)) for row in cursor.fetchall()]
    assert names == [output.column for output in outputs]
    expected = [tuple(map(str, row)) for row in queryset_.values_list()] if make is QUERYSETS["exists"] else None
    if expected is None:
        expected = [tuple(map(str, row.values())) for row in queryset_]
    assert [len(row) for row in found] == [len(row) for row in expected]
    # The cursor reads JSON and time zones rawer than the ORM; everything else must be equal as text.
    if make not in (QUERYSETS["json"], QUERYSETS["slice"]):
        assert sorted(found) == sorted(expected)
    assert found or make is QUERYSETS["choices"]


def test_select_related_adds_no_columns(db):
    sql, outputs = queryset.compile_queryset(Order.objects.select_related("customer"), "default", "V")
    assert [output.names[0] for output in outputs] == [field.name for field in Order._meta.concrete_fields]
    assert "JOIN" not in sql


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda cls: Order.objects.none(), "always empty.*Remove none"),
        (lambda cls: Order.objects.filter(pk__in=[]), "always empty"),
        (lambda cls: Order.objects.values("nothing"), r"get_queryset\(\) failed: FieldError: Cannot resolve"),
        (lambda cls: None, "returns NoneType.*return missing"),
        (lambda cls: [1], "returns list, which is no queryset"),
        (lambda cls: Order.objects.raw("SELECT 1"), r"returns raw\(\).*as sql"),
        (lambda cls: 1 / 0, "failed: ZeroDivisionError"),
    ],
)
def test_querysets_that_define_no_view(db, declare: Declare, make, words):
    model = declare("V", n=models.IntegerField(), get_queryset=classmethod(make))
    with pytest.raises(DefinitionError, match=words):
        definition.definition(model, "default")


@pytest.mark.parametrize("text", ["x = %s", "x = %(x)s", "a\n  = $1", "/* no */ f($2)", "$q$ %s $q$ || $1"])
def test_parameters_left_over_are_refused(declare: Declare, text):
    model = declare("V", n=models.IntegerField(), sql=f"SELECT 1 AS n WHERE {text}")
    with pytest.raises(DefinitionError, match="parameter left over.*line .*write the value in"):
        definition.sql_text(model)


@pytest.mark.parametrize(
    "text",
    [
        "'%s $1'",
        "'it''s %s'",
        "E'\\'%s'",
        '"%s"',
        "$$%s$$",
        "$a$ $1 %s $a$",
        "1 -- %s",
        "1 /* %s\n$1 */",
        "5 % 2",
        "a1 LIKE '%'",
        "a$1",
    ],
)
def test_what_only_looks_like_a_parameter_is_kept(declare: Declare, text):
    sql = f"SELECT {text} AS n"
    assert definition.sql_text(declare("V", n=models.TextField(), sql=sql)) == sql


def test_sql_file_is_read_from_the_app_s_directory():
    assert definition.sql_text(OpenOrder).startswith("-- Orders still to be paid")


def test_a_missing_sql_file_says_where_it_should_be(declare: Declare):
    model = declare("V", n=models.IntegerField(), sql_file="views/nowhere.sql")
    path = definition.sql_file_path(model)
    with pytest.raises(DefinitionError, match="Create .*with the view's SELECT") as raised:
        definition.sql_text(model)
    assert path.is_absolute()
    assert path.parts[-4:] == ("tests", "shop", "views", "nowhere.sql")
    assert str(path) in str(raised.value)


def test_an_empty_or_unreadable_sql_file(declare: Declare, tmp_path):
    empty, binary = tmp_path / "empty.sql", tmp_path / "binary.sql"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(DefinitionError, match="is empty"):
        definition.sql_text(declare("V", n=models.IntegerField(), sql_file=str(empty)))
    with pytest.raises(DefinitionError, match="can't be read"):
        definition.sql_text(declare("W", n=models.IntegerField(), sql_file=str(binary)))


@pytest.mark.parametrize(
    "meta, attributes, words",
    [
        ({"db_table": "t" * 64}, {}, "table is 64 bytes long.*Meta.db_table"),
        ({"db_table": "ü" * 32}, {}, "table is 64 bytes long"),
        ({}, {"n": models.IntegerField(db_column="é" * 40)}, "column is 80 bytes long.*db_column"),
        ({"db_table": 'a"b'}, {}, "can't quote"),
        ({}, {"n": models.IntegerField(db_column="50%")}, "can't quote"),
    ],
)
def test_names_that_postgresql_would_cut_off(declare: Declare, meta, attributes, words):
    with pytest.raises(DefinitionError, match=words):
        definition.check_names(declare("V", meta=meta, sql="SELECT 1 AS n", **attributes))


def test_names_that_just_fit(declare: Declare):
    definition.check_names(declare("V", meta={"db_table": "ü" * 31 + "x"}, sql="SELECT 1 AS n"))


@pytest.mark.parametrize(
    "db_table, expected",
    [("plain", (None, "plain")), ('"s"."t"', ("s", "t")), ('s"."t', ("s", "t")), ("Größe", (None, "Größe"))],
)
def test_table_of(declare: Declare, db_table, expected):
    assert definition.table_of(declare("V", meta={"db_table": db_table}, sql="SELECT 1 AS n")) == expected


def test_indexes_come_from_meta_and_from_fields(db, declare: Declare):
    model = declare(
        "V",
        meta={
            "indexes": [models.Index(F("a") + F("b"), name="v_sum", condition=Q(b__gt=5))],
            "constraints": [models.UniqueConstraint(fields=["a", "b"], name="v_ab", nulls_distinct=False)],
        },
        a=models.IntegerField(db_index=True),
        b=models.IntegerField(unique=True, db_column="B"),
        customer=models.ForeignKey("shop.Customer", models.DO_NOTHING, db_constraint=False, related_name="+"),
        sql="SELECT 1 AS a",
    )
    made = "\n".join(definition.indexes_sql(model, "default"))
    assert 'CREATE INDEX "v_sum" ON "shop_v" ((("a" + "B"))) WHERE "B" > 5' in made
    assert 'ON "shop_v" ("a")' in made
    assert 'ON "shop_v" ("B")' in made
    assert 'ON "shop_v" ("customer_id")' in made
    assert "v_ab" in made
    assert "NULLS NOT DISTINCT" in made
    with connection.cursor() as cursor:
        cursor.execute('CREATE TABLE shop_v (a int, "B" int, customer_id bigint)')
        for statement in definition.indexes_sql(model, "default"):
            cursor.execute(statement, None)


def test_a_key_gets_no_second_index(db):
    assert [sql.split(" ON ")[0] for sql in definition.indexes_sql(CustomerRevenue, "default")] == [
        'CREATE INDEX "shop_custrev_revenue"'
    ]


def test_other_constraints_are_refused(db, declare: Declare):
    check = models.CheckConstraint(condition=Q(a__gt=1), name="v_check")
    with pytest.raises(DefinitionError, match="CheckConstraint.*UniqueConstraint"):
        definition.indexes_sql(
            declare("V", meta={"constraints": [check]}, a=models.IntegerField(), sql="SELECT 1 AS a"),
            "default",
        )


def test_describe_plans_and_runs_nothing(db):
    assert definition.describe('SELECT 1::bigint AS a, NULL::numeric(5,2) AS "B", now();', "default") == [
        ("a", "bigint"),
        ("B", "numeric(5,2)"),
        ("now", "timestamp with time zone"),
    ]
    from django.db import ProgrammingError

    for text in ("DELETE FROM shop_order", "SELECT 1; SELECT 2", "SELEC 1"):
        with pytest.raises(ProgrammingError):
            definition.describe(text, "default")
    assert definition.describe("SELECT pg_sleep(60) AS s", "default") == [("s", "void")]
    assert Region.objects.count() == 0  # and the transaction is still usable


def test_reads_without_a_database():
    assert definition.reads(CustomerRevenue) == {(None, "shop_order")}
    assert definition.reads(SegmentSize) == {(None, "shop_customer")}
    assert definition.source_labels(CustomerRevenue) == ["shop.Order"]


@pytest.mark.parametrize(
    "make, tables",
    [
        (Order.objects.all, {"shop_order"}),
        (
            lambda: Order.objects.values("customer__nation__name"),
            {"shop_order", "shop_customer", "shop_nation"},
        ),
        (
            lambda: Customer.objects.annotate(n=Sum("orders__items__price")),
            {"shop_customer", "shop_order", "shop_item"},
        ),
        (
            lambda: Customer.objects.filter(pk__in=Order.objects.values("customer")),
            {"shop_customer", "shop_order"},
        ),
        (
            lambda: Customer.objects.exclude(orders__items__price=1),
            {"shop_customer", "shop_order", "shop_item"},
        ),
        (
            lambda: Region.objects.values("pk").union(Product.objects.values("pk")),
            {"shop_region", "shop_product"},
        ),
        (
            lambda: Customer.objects.annotate(
                n=models.Case(
                    models.When(Exists(Item.objects.filter(order__customer=OuterRef("pk"))), then=1),
                    default=0,
                )
            ),
            {"shop_customer", "shop_item", "shop_order"},
        ),
        (
            lambda: Customer.objects.annotate(
                o=models.FilteredRelation("orders", condition=Q(orders__amount__gt=1))
            ).values("o__amount"),
            {"shop_customer", "shop_order"},
        ),
        (lambda: CustomerRevenue.objects.values("revenue"), {"shop_customerrevenue"}),
    ],
)
def test_referenced_tables(make, tables):
    assert queryset.referenced_tables(make()) == tables


def test_server_side_binding_gives_the_same_sql(db):
    expected = {name: queryset.compile_queryset(make(), "default", "V")[0] for name, make in QUERYSETS.items()}
    own = connection.copy("bound")
    own.settings_dict["OPTIONS"] = {**own.settings_dict.get("OPTIONS", {}), "server_side_binding": True}
    connections["bound"] = own
    try:
        found = {name: queryset.compile_queryset(make(), "bound", "V")[0] for name, make in QUERYSETS.items()}
    finally:
        own.close()
        del connections["bound"]
    assert found == expected
