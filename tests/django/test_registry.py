"""Which views there are, where they belong, and in which order."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from django.db import models
from django.test import override_settings

from django_ivm import DefinitionError, DependencyCycleError, registry
from tests.shop import ivm_views
from tests.shop.models import Order

from .conftest import Declare


def test_views_come_from_models_and_from_ivm_views(declare: Declare):
    extra = declare("Aaa", n=models.IntegerField(), sql="SELECT 1 AS n")
    found = registry.view_models()
    assert found[0] is extra
    assert {ivm_views.CustomerRevenue, ivm_views.RevenueBand, ivm_views.OpenOrder} <= set(found)


def test_parents_come_first():
    order = registry.ordered("default")
    assert order.index(ivm_views.CustomerRevenue) < order.index(ivm_views.RevenueBand)
    assert registry.dependencies(registry.view_models())[ivm_views.RevenueBand] == {ivm_views.CustomerRevenue}


def chain(declare: Declare, name: str, reads):
    return declare(name, n=models.IntegerField(), get_queryset=classmethod(lambda cls: reads().objects.values("n")))


def test_a_circle_is_named(declare: Declare):
    views: dict = {}
    views["a"] = chain(declare, "CircleA", lambda: views["b"])
    views["b"] = chain(declare, "CircleB", lambda: views["c"])
    views["c"] = chain(declare, "CircleC", lambda: views["a"])
    with pytest.raises(DependencyCycleError) as raised:
        registry.in_order(registry.dependencies(list(views.values())))
    assert "shop.CircleA → shop.CircleB → shop.CircleC → shop.CircleA" in str(raised.value)


def test_a_view_that_reads_itself_is_a_circle(declare: Declare):
    views: dict = {}
    views["a"] = chain(declare, "Self", lambda: views["a"])
    with pytest.raises(DependencyCycleError, match="shop.Self → shop.Self"):
        registry.ordered()


def test_a_circle_through_sql_text(declare: Declare):
    declare("SqlA", n=models.IntegerField(), sql="SELECT n FROM (SELECT * FROM shop_sqlb) AS s")
    declare("SqlB", n=models.IntegerField(), sql="WITH c AS (SELECT n FROM public.shop_sqla) SELECT n FROM c")
    with pytest.raises(DependencyCycleError, match="shop.SqlA|shop.SqlB"):
        registry.ordered()


def test_a_broken_view_does_not_hide_the_others(declare: Declare):
    broken_view = declare("Broken", n=models.IntegerField(), get_queryset=classmethod(lambda cls: None))
    with pytest.raises(DefinitionError):
        registry.ordered("default")
    broken: dict = {}
    order = registry.ordered("default", broken)
    assert set(broken) == {broken_view}
    assert ivm_views.RevenueBand in order
    assert broken_view not in order


class OnlyOther:
    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return db == "other" if model_name == "customerrevenue" else None


@override_settings(DATABASE_ROUTERS=[OnlyOther()])
def test_routers_decide_where_a_view_belongs():
    assert ivm_views.CustomerRevenue not in registry.models_for("default")
    assert ivm_views.CustomerRevenue in registry.models_for("other")
    assert ivm_views.SegmentSize in registry.models_for("default")


def test_using_decides_where_a_view_belongs(declare: Declare):
    model = declare("V", ivm={"using": "other"}, n=models.IntegerField(), sql="SELECT 1 AS n")
    assert model not in registry.models_for("default")
    assert model in registry.models_for("other")


def start(tmp_path, **modules: str) -> subprocess.CompletedProcess[str]:
    """`django.setup()` in a process of its own, with an app `probe` of these modules."""
    package = tmp_path / "probe"
    for name, text in {"__init__": "", **modules}.items():
        path = package.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    program = """
        import django
        from django.conf import settings
        settings.configure(
            INSTALLED_APPS=["probe", "django_ivm"],
            DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}},
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        )
        django.setup()
        from django_ivm import registry
        print([model._meta.label for model in registry.view_models()])
        import sys
        print("pglast" in sys.modules)
        import importlib.util
        if importlib.util.find_spec("probe.late"):
            import probe.late
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )


VIEW = """
    from django.db import models
    from django_ivm import IncrementalView

    class {name}(IncrementalView):
        n = models.IntegerField()
        sql = "SELECT 1 AS n"
"""


def test_discovery_reads_models_and_a_module_or_package(tmp_path):
    done = start(
        tmp_path,
        models=VIEW.format(name="InModels"),
        **{"ivm_views.__init__": "from .inner import *", "ivm_views.inner": VIEW.format(name="InPackage")},
    )
    assert done.stdout.splitlines() == ["['probe.InModels', 'probe.InPackage']", "False"], done.stderr


def test_relations_that_were_looked_at_too_early_are_found_all_the_same(tmp_path):
    done = start(
        tmp_path,
        apps="""
            from django.apps import AppConfig

            class Early(AppConfig):
                name = "probe"

                def ready(self):
                    from probe.models import Thing

                    assert not hasattr(Thing, "n")
                    assert "views" not in Thing._meta.fields_map
        """,
        models="""
            from django.db import models

            class Thing(models.Model):
                pass
        """,
        ivm_views="""
            from django.db import models
            from django_ivm import IncrementalView

            class V(IncrementalView):
                thing = models.ForeignKey(
                    "probe.Thing", models.DO_NOTHING, db_constraint=False, related_name="views"
                )
                sql = "SELECT id AS thing_id FROM probe_thing"
        """,
        late="""
            from probe.models import Thing

            print(Thing.objects.filter(views__id=1).query is not None)
        """,
    )
    assert done.stdout.splitlines() == ["['probe.V']", "False", "True"], done.stderr


def test_an_app_without_views_is_fine(tmp_path):
    assert start(tmp_path).stdout.splitlines() == ["[]", "False"]


@pytest.mark.parametrize(
    "text, error",
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("from .models import Nothing", "No module named 'probe.models'"),
        ("1 / 0", "ZeroDivisionError"),
        (
            "from django_ivm import IncrementalView\nclass V(IncrementalView): pass",
            "django_ivm.errors.DefinitionError: V has no definition.",
        ),
    ],
)
def test_an_error_while_importing_views_is_never_swallowed(tmp_path, text, error):
    done = start(tmp_path, ivm_views=text)
    assert done.returncode != 0
    assert error in done.stderr


def test_reading_a_view_loads_no_compiler(customers):
    code = (
        "import sys, django; django.setup(); from tests.shop.ivm_views import CustomerRevenue; "
        "from django_ivm import definition; definition.reads(CustomerRevenue); "
        "from django_ivm.engine import view, worker; print('pglast' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert done.stdout.strip() == "False", done.stderr
    assert Order.objects.count() == 2
