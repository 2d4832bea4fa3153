"""Fields against outputs: the match, what is said when there is none, and lines that can be pasted."""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.db.models import Count, F

from django_ivm import DefinitionError, definition, fields
from django_ivm.queryset import Output
from tests.shop import ivm_views
from tests.shop.models import Order

from .conftest import Declare


def found(model):
    return [(code, message, hint) for code, message, hint in definition.mismatches(model, "default")]


@pytest.mark.parametrize(
    "model",
    [
        ivm_views.CustomerRevenue,
        ivm_views.SegmentSize,
        ivm_views.CustomerProduct,
        ivm_views.OpenOrder,
        ivm_views.OrderRank,
    ],
)
def test_the_shop_s_views_match(db, model):
    assert found(model) == []
    definition.require_match(model, "default")


def test_renames_are_from_output_to_column(db):
    def renames(model):
        outputs = definition.definition(model, "default").outputs
        return fields.match(model, list(outputs), by_column=False).renames

    assert renames(ivm_views.CustomerRevenue) == (("customer", "customer_id"),)
    assert renames(ivm_views.SegmentSize) == (("size", "Size"),)
    assert renames(ivm_views.CustomerProduct) == (("customer", "customer_id"),)


def test_name_goes_before_attname_before_column(db, declare: Declare):
    model = declare(
        "V",
        a=models.IntegerField(db_column="b"),
        b=models.IntegerField(db_column="c"),
        customer=models.ForeignKey("shop.Customer", models.DO_NOTHING, db_constraint=False, related_name="+"),
        get_queryset=classmethod(lambda cls: Order.objects.values("customer_id", a=F("pk"), b=F("pk"))),
    )
    matched = fields.match(model, list(definition.definition(model, "default").outputs), by_column=False)
    assert {output.column: field.name for output, field in matched.pairs} == {
        "customer_id": "customer",
        "a": "a",
        "b": "b",
    }


def test_pk_means_the_declared_key(db, declare: Declare):
    model = declare(
        "V",
        order=models.OneToOneField(
            "shop.Order", models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="+"
        ),
        get_queryset=classmethod(lambda cls: Order.objects.values("pk")),
    )
    assert found(model) == []


def test_both_sides_are_named_and_a_field_is_suggested(db, declare: Declare):
    model = declare(
        "V",
        total=models.IntegerField(),
        orders=models.IntegerField(),
        get_queryset=classmethod(lambda cls: Order.objects.values("customer", "amount").annotate(ordres=Count("pk"))),
    )
    problems = found(model)
    assert [code for code, _, _ in problems] == ["E004", "E004", "E004", "E005", "E005"]
    messages = " ".join(message for _, message, _ in problems)
    assert "output 'customer' has no field. Fields without an output: 'total', 'orders'" in messages
    assert "field 'total' has no output of that name in the query. Outputs without a field: 'customer'" in messages
    hints = [hint for _, _, hint in problems]
    assert hints[0] == (
        'Add the field to V: customer = models.ForeignKey("shop.Customer", models.DO_NOTHING, null=True, '
        'db_constraint=False, related_name="+")'
    )
    assert hints[1].endswith("amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)")
    assert hints[2].endswith("ordres = models.BigIntegerField(null=True)")
    assert "Is it the output 'ordres'?" in hints[4]
    with pytest.raises(DefinitionError, match="'customer' has no field.*Add the field to V"):
        definition.spec(model, "default")


def test_a_path_needs_a_plain_name(db, declare: Declare):
    model = declare(
        "V",
        n=models.IntegerField(),
        get_queryset=classmethod(lambda cls: Order.objects.values("customer__nation__name").annotate(n=Count("pk"))),
    )
    [(code, message, hint)] = found(model)
    assert code == "E004"
    assert "'customer__nation__name'" in message
    assert ".values(customer_nation_name=F('customer__nation__name'))" in hint
    assert "customer_nation_name = models.CharField(max_length=40, null=True)" in hint


def test_sql_matches_by_column_only_and_minds_the_case(db, declare: Declare):
    model = declare("V", n=models.IntegerField(db_column="Total"), sql="SELECT count(*) AS Total FROM shop_order")
    problems = found(model)
    assert [code for code, _, _ in problems] == ["E004", "E005"]
    assert 'write AS "Total" in the query' in problems[0][2]
    quoted = declare("W", n=models.BigIntegerField(db_column="Total"), sql='SELECT count(*) AS "Total" FROM shop_order')
    assert found(quoted) == []


def test_two_outputs_of_one_name(db, declare: Declare):
    model = declare("V", n=models.IntegerField(), sql="SELECT 1 AS n, 2 AS n")
    assert [message for _, message, _ in found(model)] == ["shop.V: the query has two outputs named 'n'."]


def test_odd_names(db, declare: Declare):
    model = declare(
        "V",
        meta={"db_table": "select"},
        größe=models.IntegerField(),
        order=models.IntegerField(),
        camel=models.IntegerField(db_column="camelCase"),
        spaced=models.IntegerField(db_column="a b"),
        sql='SELECT 1 AS größe, 2 AS "order", 3 AS "camelCase", 4 AS "a b"',
    )
    assert found(model) == []


TYPES = [
    "bigint",
    "integer",
    "smallint",
    "text",
    "boolean",
    "date",
    "timestamp with time zone",
    "interval",
    "numeric(7,3)",
    "numeric",
    "character varying(9)",
    "character varying",
    "character(3)",
    "double precision",
    "real",
    "uuid",
    "jsonb",
    "bytea",
    "inet",
    "time without time zone",
    "integer[]",
    "numeric(7,3)[]",
    "tsvector",
]


@pytest.mark.parametrize("name", TYPES)
def test_suggested_lines_are_python_that_fits_the_type(db, declare: Declare, name):
    from django.contrib.postgres.fields import ArrayField

    line = fields.field_line(Output("x", ("x",), type=name))
    scope: dict = {"models": models, "ArrayField": ArrayField}
    exec(line, scope)
    model = declare("V", x=scope["x"], sql=f"SELECT NULL::{name} AS x")
    assert found(model) == []
    if name != "tsvector":  # nothing of Django's core reads it
        assert fields.differing_type(model._meta.get_field("x"), name, connection) is None


@pytest.mark.parametrize(
    "output, line",
    [
        ("class", 'class_field = models.IntegerField(null=True, db_column="class")'),
        ("a b", 'a_b = models.IntegerField(null=True, db_column="a b")'),
        ("2nd", 'column_2nd = models.IntegerField(null=True, db_column="2nd")'),
        ("?column?", 'column = models.IntegerField(null=True, db_column="?column?")'),
    ],
)
def test_suggestions_for_names_that_python_refuses(output, line):
    assert fields.field_line(Output(output, (output,), type="integer")) == line


def test_types_that_read_as_something_else(db):
    amount = Order._meta.get_field("amount")
    assert fields.differing_type(amount, "numeric", connection) is None
    assert fields.differing_type(amount, "bigint", connection) == "numeric(12, 2)"
    assert fields.differing_type(Order._meta.get_field("customer"), "integer", connection) is None
    assert fields.differing_type(Order._meta.get_field("note"), "character varying(3)", connection) is None
    assert fields.differing_type(Order._meta.get_field("shipped"), "timestamp with time zone", connection) == "date"
