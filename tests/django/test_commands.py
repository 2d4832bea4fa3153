"""The commands but ivm_install and ivm_uninstall: labels, what is printed, exit codes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import django_ivm
from tests.not_kept import NOT_KEPT, NOT_KEPT_CODE
from tests.shop.ivm_views import OrderRank
from tests.shop.models import Order

from .conftest import PLACED, Declare
from .shell import execute, fails, numbers, run

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "label, expected",
    [
        ("shop.CustomerRevenue", {"shop.CustomerRevenue"}),
        ("shop.customerrevenue", {"shop.CustomerRevenue"}),
        ("customerrevenue", {"shop.CustomerRevenue"}),
        ("shop_customerrevenue", {"shop.CustomerRevenue"}),
        ("by_name", {"by_name"}),
        ("public.by_name", {"by_name"}),
    ],
)
def test_labels(label, expected):
    django_ivm.create_view("by_name", "SELECT name, count(*) AS n FROM shop_customer GROUP BY name")
    assert {entry["view"] for entry in json.loads(run("ivm_status", label, json=True))} == expected


def test_an_app_means_its_views_and_no_label_means_all():
    django_ivm.create_view("by_name", "SELECT name, count(*) AS n FROM shop_customer GROUP BY name")
    of_app = {entry["view"] for entry in json.loads(run("ivm_status", "shop", json=True))}
    assert "shop.RevenueBand" in of_app
    assert "by_name" not in of_app
    assert {entry["view"] for entry in json.loads(run("ivm_status", json=True))} == {*of_app, "by_name"}


def test_an_unknown_label():
    fails(
        "ivm_status",
        "shop.CustomerRevenu",
        match="called 'shop.CustomerRevenu'.*Did you mean shop.CustomerRevenue",
    )


def test_a_view_called_like_a_reserved_word():
    view = django_ivm.create_view("select", 'SELECT count(*) AS "from" FROM shop_customer')
    assert "select: ok" in run("ivm_verify", "select")
    assert execute(f'SELECT "from" FROM {view.table}') == [(0,)]
    assert "select: removed" in run("ivm_uninstall", "select")


def test_refresh(customers):
    assert not OrderRank.is_fresh()
    out = run("ivm_refresh", "shop.OrderRank")
    assert "shop.OrderRank: full, +2 ~0 -0" in out
    assert OrderRank.is_fresh()
    from django_ivm.models import RefreshLog

    assert RefreshLog.objects.first().trigger == "command"


def test_refresh_stale_only(customers):
    out = run("ivm_refresh", stale=True)
    assert "shop.OrderRank" in out
    assert "shop.CustomerRevenue" not in out
    assert "0 refreshed" in run("ivm_refresh", stale=True)


def test_refresh_full_with_dependents(customers):
    out = run("ivm_refresh", "shop.CustomerRevenue", full=True, with_dependents=True)
    assert out.index("shop.CustomerRevenue: full") < out.index("shop.RevenueBand: full")
    assert "shop.SegmentSize" not in out
    assert "RevenueBand" not in run("ivm_refresh", "shop.CustomerRevenue", full=True)


def test_refresh_of_a_view_that_is_not_there(declare: Declare):
    numbers(declare, "Aaa")
    numbers(declare, "Bbb")
    out = fails("ivm_refresh", "shop.Aaa", "shop.Bbb", match="2 of 2")
    assert "shop.Aaa" in out
    assert "shop.Bbb" in out
    assert "shop.Bbb" not in fails("ivm_refresh", "shop.Aaa", "shop.Bbb", fail_fast=True, match="1 of 2")
    assert "shop.Aaa" not in run("ivm_refresh")


@pytest.mark.parametrize(
    ("options", "says"),
    [({"watch": True}, "transaction"), ({"watch": True, "full": True}, "for once"), ({"jobs": 0}, "from 1 on")],
)
def test_refresh_options_that_can_t_be(options, says):
    fails("ivm_refresh", match=says, **options)


def test_status(customers, declare: Declare):
    numbers(declare)
    lines = {line.split()[0]: line.split() for line in run("ivm_status").splitlines()}
    assert lines["view"][:4] == ["view", "state", "mode", "strategy"]
    assert lines["shop.Numbers"][1] == "missing"
    assert lines["shop.CustomerRevenue"][1:4] == ["fresh", "immediate", "incremental"]
    assert lines["shop.OrderRank"][1:4] == ["stale", "manual", "full"]


def test_status_json(customers):
    found = {entry["view"]: entry for entry in json.loads(run("ivm_status", json=True))}
    entry = found["shop.OrderRank"]
    assert (entry["table"], entry["database"], entry["installed"], entry["stale"]) == (
        "shop_orderrank", "default", True, True,
    )  # fmt: skip
    assert entry["size"] > 0
    assert entry["reasons"][0]["code"]


def test_verify(customers):
    assert "shop.CustomerRevenue: ok, 1 rows" in run("ivm_verify", "shop.CustomerRevenue")
    found = json.loads(run("ivm_verify", "shop.CustomerRevenue", json=True))
    assert found[0]["ok"] is True


def test_verify_finds_drift_and_repairs_it(customers):
    execute("SET LOCAL session_replication_role = replica")
    Order.objects.create(customer=customers[1], placed=PLACED, amount=9)
    Order.objects.filter(customer=customers[0]).first().delete()
    execute("SET LOCAL session_replication_role = origin")
    out = fails("ivm_verify", "shop.CustomerRevenue", match="1 of 1 views differ")
    assert "shop.CustomerRevenue: has 2 missing and 1 unexpected" in out
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("ivm_verify", "shop.CustomerRevenue", json=True, stdout=out)
    assert json.loads(out.getvalue())[0]["missing"] == 2
    call_command("ivm_verify", "shop.CustomerRevenue", repair=True, stdout=io.StringIO())
    assert "ok" in run("ivm_verify", "shop.CustomerRevenue")


def test_explain():
    assert "incremental" in run("ivm_explain", "shop.CustomerRevenue")
    assert "full" in run("ivm_explain", "shop.OrderRank")
    stages = {stage: run("ivm_explain", "shop.CustomerRevenue", stage=stage) for stage in ("ast", "ir", "plan", "sql")}
    assert len(set(stages.values())) == 4
    assert "CREATE" in stages["sql"]
    assert "shop_order" in run("ivm_explain", "shop.CustomerRevenue", trace=True)
    [entry] = json.loads(run("ivm_explain", "shop.OrderRank", json=True))
    assert entry["strategy"] == "full"
    assert entry["reasons"][0]["code"] == "STRATEGY"


def test_explain_says_why_not(declare: Declare):
    numbers(
        declare,
        ivm={"strategy": "incremental"},
        sql=f"SELECT rank() OVER (ORDER BY id) AS n FROM shop_customer WHERE {NOT_KEPT}",
    )
    fails("ivm_install", "shop.Numbers", match="1 of 1")
    [entry] = json.loads(run("ivm_explain", "shop.Numbers", json=True))
    assert entry["strategy"] == "full"
    assert entry["reasons"][0]["code"] == NOT_KEPT_CODE
    assert "line 1" in entry["reasons"][0]["location"]


def test_explain_json_has_what_is_asked_for():
    [entry] = json.loads(run("ivm_explain", "shop.CustomerRevenue", json=True))
    assert {"strategy", "mode", "reasons", "tree", "sql", "locks"} <= set(entry)
    assert not {"stage", "stages", "trace"} & set(entry)
    [entry] = json.loads(run("ivm_explain", "shop.CustomerRevenue", json=True, stage="ir", trace=True))
    assert entry["stage"]
    assert entry["stage"] in entry["trace"]


def test_signals(customers, declare: Declare):
    heard: list[tuple[str, str]] = []

    def listener(name: str) -> Any:
        def listen(sender: Any, view: str, using: str, **kwargs: Any) -> None:
            heard.append((name, view))
            assert (sender, using) == (django_ivm.View, "default")

        return listen

    names = ("pre_refresh", "post_refresh", "fell_back", "view_installed")
    listeners = {name: listener(name) for name in names}
    for name, listen in listeners.items():
        getattr(django_ivm.signals, name).connect(listen)
    try:
        numbers(declare, sql=f"SELECT rank() OVER (ORDER BY id) AS n FROM shop_customer WHERE {NOT_KEPT}")
        run("ivm_install")
        run("ivm_refresh", "shop.Numbers")
    finally:
        for name, listen in listeners.items():
            getattr(django_ivm.signals, name).disconnect(listen)
    assert heard == [(name, "shop_numbers") for name in ("view_installed", "fell_back", "pre_refresh", "post_refresh")]


def test_explain_works_before_installation(declare: Declare):
    numbers(declare)
    assert "incremental" in run("ivm_explain", "shop.Numbers")


def test_progress_is_shown_on_a_terminal_only(monkeypatch, declare: Declare):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    numbers(declare)
    for options, shown in (({}, True), ({"no_progress": True}, False), ({"verbosity": 0}, False)):
        terminal = Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        call_command("ivm_install", stdout=io.StringIO(), **options)
        assert ("shop.Numbers" in terminal.getvalue()) is shown, options
        assert ("100%" in terminal.getvalue()) is shown, options
        run("ivm_uninstall", "shop.Numbers")


@pytest.mark.django_db(databases=["default", "other"])
def test_each_database_by_itself(declare: Declare):
    model = numbers(declare)
    assert "shop.Numbers: installed" in run("ivm_install", database="other")
    assert model.status(using="other").installed
    assert not model.status(using="default").installed
    assert "shop.Numbers: ok, 0 rows" in run("ivm_verify", "shop.Numbers", database="other")
    run("ivm_install", check=True, database="other")
    fails("ivm_install", check=True, match="1 of")


def test_database(django_db_blocker):
    with pytest.raises(CommandError, match="invalid choice: 'nowhere'"):
        call_command("ivm_status", "--database", "nowhere")


def test_makemigrations_writes_an_unmanaged_create_model_and_touches_no_other_app(tmp_path):
    out = io.StringIO()
    call_command("makemigrations", dry_run=True, verbosity=3, stdout=out)
    text = out.getvalue()
    assert "Migrations for 'shop'" in text
    assert text.count("Migrations for") == 1
    assert "+ Create model CustomerRevenue" in text
    assert text.count("'managed': False") == text.count("migrations.CreateModel") >= 6
    for word in ("AddTrigger", "pgtrigger", "RunSQL", "RemoveField", "AlterField"):
        assert word not in text
