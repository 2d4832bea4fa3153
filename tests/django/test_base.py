"""The model class: options, keys, read-only behaviour. No database but for the few tests that say so."""

from __future__ import annotations

import asyncio
import pickle

import pytest
from django.db import models

import django_ivm
from django_ivm import DefinitionError, IncrementalView, ReadOnlyViewError
from tests.shop.ivm_views import CustomerProduct, CustomerRevenue, OpenOrder, RevenueBand, SegmentSize
from tests.shop.models import Customer

from .conftest import Declare

SQL = "SELECT 1 AS n"


def test_managed_is_off_and_other_meta_is_kept():
    assert CustomerRevenue._meta.managed is False
    assert CustomerRevenue._meta.original_attrs["managed"] is False
    assert [index.name for index in CustomerRevenue._meta.indexes] == ["shop_custrev_revenue"]
    assert CustomerRevenue._meta.db_table == "shop_customerrevenue"


def test_managed_true_is_refused(declare: Declare):
    with pytest.raises(DefinitionError, match="managed = True.*Remove managed"):
        declare("V", meta={"managed": True}, n=models.IntegerField(), sql=SQL)


def test_managed_false_may_be_written(declare: Declare):
    assert declare("V", meta={"managed": False}, sql=SQL)._meta.managed is False


def test_surrogate_is_last_and_only_without_a_key():
    assert [field.name for field in RevenueBand._meta.fields] == ["customers", "big", "id"]
    assert isinstance(RevenueBand._meta.pk, models.BigAutoField)
    assert RevenueBand._ivm_surrogate == "id"
    for model in (CustomerRevenue, CustomerProduct, OpenOrder):
        assert model._ivm_surrogate is None
    assert CustomerProduct._meta.pk_fields[0].name == "customer"


def test_a_plain_field_called_id_is_refused(declare: Declare):
    with pytest.raises(DefinitionError, match="primary_key=True"):
        declare("V", id=models.IntegerField(), sql="SELECT 1 AS id")


@pytest.mark.parametrize(
    "attributes, words",
    [
        ({}, "has no definition.*exactly one of"),
        ({"sql": SQL, "sql_file": "x.sql"}, "several definitions: sql, sql_file"),
        (
            {"sql": SQL, "get_queryset": classmethod(lambda cls: None)},
            "several definitions: get_queryset, sql",
        ),
        ({"get_queryset": lambda: None}, "must be a classmethod or a staticmethod.*@classmethod"),
        ({"sql": "  "}, "isn't empty"),
        ({"sql": 7}, "must be a text"),
    ],
)
def test_exactly_one_definition(declare: Declare, attributes, words):
    with pytest.raises(DefinitionError, match=words):
        declare("V", n=models.IntegerField(), **attributes)


@pytest.mark.parametrize(
    "ivm, words",
    [
        ({"moode": "manual"}, "no option 'moode'.*Known options: mode, strategy, on_error"),
        ({"mode": "lazy"}, "mode = 'lazy'.*'immediate', 'commit', 'deferred', 'manual'"),
        ({"strategy": None}, "strategy = None"),
        ({"on_error": "ignore"}, "'raise', 'stale'"),
        ({"hidden": True}, "'hidden' of class IVM is not available yet"),
        ({"prefix": "x_"}, "'prefix'"),
        ({"depends_on": ["shop.Order"]}, "'depends_on'"),
        ({"stored": False}, "'stored'"),
        ({"schema": " "}, "schema in class IVM must be a name"),
        ({"grants": [1]}, "list of role names"),
    ],
)
def test_bad_options(declare: Declare, ivm, words):
    with pytest.raises(DefinitionError, match=words):
        declare("V", ivm=ivm, sql=SQL)


def test_good_options(declare: Declare):
    model = declare(
        "V",
        ivm={
            "mode": "manual",
            "strategy": "full",
            "on_error": "stale",
            "using": "other",
            "grants": ["reader"],
        },
        sql=SQL,
    )
    options = model._ivm_options
    assert (options.mode, options.strategy, options.on_error) == ("manual", "full", "stale")
    assert (options.using, options.grants) == ("other", ("reader",))
    assert declare("W", ivm={"hidden": False, "stored": True, "prefix": "", "depends_on": []}, sql=SQL)
    assert declare("X", ivm={"grants": "reader"}, sql=SQL)._ivm_options.grants == ("reader",)


def test_schema_names_the_table_in_every_query(declare: Declare):
    model = declare("V", ivm={"schema": "reports"}, meta={"db_table": "sizes"}, n=models.IntegerField(), sql=SQL)
    assert str(model.objects.only("n").filter(n=1).query) == (
        'SELECT "reports"."sizes"."n", "reports"."sizes"."id" FROM "reports"."sizes" WHERE "reports"."sizes"."n" = 1'
    )


def test_abstract_bases(declare: Declare):
    base = declare(
        "Base", meta={"abstract": True}, ivm={"mode": "manual"}, n=models.IntegerField(), sql="SELECT 2 AS n"
    )
    child = declare("Child", bases=(base,))
    own = declare("Own", bases=(base,), get_queryset=classmethod(lambda cls: Customer.objects.values(n=models.F("pk"))))
    assert [field.name for field in child._meta.fields] == ["n", "id"]
    assert child._ivm_options.mode == own._ivm_options.mode == "manual"
    assert (child._ivm_source, own._ivm_source) == ("sql", "get_queryset")
    assert not child._meta.managed


def test_a_concrete_parent_is_refused(declare: Declare):
    with pytest.raises(DefinitionError, match="inherits from the concrete model CustomerRevenue"):
        declare("V", bases=(CustomerRevenue,), sql=SQL)


def test_a_proxy_is_no_view_of_its_own(declare: Declare):
    proxy = declare("P", bases=(CustomerRevenue,), meta={"proxy": True})
    from django_ivm import registry

    assert proxy not in registry.view_models()
    assert CustomerRevenue in registry.view_models()


def test_fields_may_be_called_like_our_methods(declare: Declare):
    model = declare(
        "V",
        name=models.TextField(),
        status=models.TextField(),
        refresh=models.IntegerField(),
        sql="SELECT 'n' AS name, 's' AS status, 1 AS refresh",
    )
    row = model.from_db("default", ["name", "status", "refresh", "id"], ["n", "s", 1, 2])
    assert (row.name, row.status, row.refresh, row.pk) == ("n", "s", 1, 2)


def test_fields_may_be_called_like_a_definition(declare: Declare):
    model = declare("V", sql_file=models.TextField(), sql="SELECT 'x' AS sql_file")
    assert model._ivm_source == "sql"


INSTANCE_CALLS = ["save", "delete"]


@pytest.mark.parametrize("call", ["save", "delete"])
def test_instances_are_read_only(call):
    row = SegmentSize(segment="x", size=1, id=1)
    with pytest.raises(ReadOnlyViewError, match=rf"SegmentSize is a view.*{call}.*shop\.Customer"):
        getattr(row, call)()
    with pytest.raises(ReadOnlyViewError):
        asyncio.run(getattr(row, f"a{call}")())


MANAGER_CALLS = [
    ("create", {"size": 1}),
    ("get_or_create", {"size": 1}),
    ("update_or_create", {"size": 1}),
    ("bulk_create", {"objs": []}),
    ("bulk_update", {"objs": [], "fields": ["size"]}),
    ("update", {"size": 1}),
]


@pytest.mark.parametrize("call, arguments", MANAGER_CALLS)
def test_managers_are_read_only(call, arguments):
    for source in (SegmentSize.objects, SegmentSize.objects.filter(size=1)):
        with pytest.raises(ReadOnlyViewError, match=call):
            getattr(source, call)(**arguments)
        with pytest.raises(ReadOnlyViewError, match=call):
            asyncio.run(getattr(source, f"a{call}")(**arguments))


def test_querysets_do_not_delete():
    with pytest.raises(ReadOnlyViewError, match="delete"):
        SegmentSize.objects.all().delete()
    with pytest.raises(ReadOnlyViewError, match="delete"):
        asyncio.run(SegmentSize.objects.all().adelete())
    assert not hasattr(SegmentSize.objects, "delete")


def test_reads_go_where_using_says(declare: Declare):
    model = declare("V", ivm={"using": "other"}, n=models.IntegerField(), sql=SQL)
    assert model.objects.all().db == "other"
    assert model.objects.using("default").db == "default"
    assert model.objects.db_manager("default").all().db == "default"


def test_everything_public_is_there_and_lazy():
    assert IncrementalView is django_ivm.IncrementalView
    for name in django_ivm.__all__:
        assert getattr(django_ivm, name) is not None
    assert set(django_ivm.__all__) <= set(dir(django_ivm))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = django_ivm.nothing


def test_errors_say_what_where_and_what_to_do():
    error = DefinitionError("It is wrong.", code="c", hint="Mend it.", location="line 2")
    again = pickle.loads(pickle.dumps(error))
    assert str(error) == str(again) == "It is wrong. (at line 2) Hint: Mend it."
    assert (again.code, again.hint, again.location) == ("c", "Mend it.", "line 2")
    assert str(DefinitionError("It is wrong.")) == "It is wrong."
