"""Which views there are, and in which order they depend on each other.

Django's own registry of models is the only list: nothing is remembered here.
"""

from __future__ import annotations

import graphlib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections, router
from django.utils.module_loading import module_has_submodule

from . import definition
from .base import IncrementalView
from .errors import DependencyCycleError, IVMError

if TYPE_CHECKING:
    from .engine.install import InstalledView
    from .engine.results import Explanation, ViewStatus
    from .engine.spec import ViewSpec
    from .engine.view import View

MODULE = "ivm_views"

ViewModel = type[IncrementalView]


def autodiscover() -> None:
    """Import each app's `ivm_views`, where it has one.

    An app without the module is fine; whatever an existing one raises is raised: a swallowed ImportError
    would make its views vanish, and the next `ivm_install --prune` would drop them.
    """
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, MODULE):
            importlib.import_module(f"{config.name}.{MODULE}")
    # Apps that were ready before may have looked at relations; Django itself forgets that only once all are.
    for model in apps.get_models(include_auto_created=True):
        model._meta._expire_cache()


def view_models() -> list[ViewModel]:
    """Every concrete view of the installed apps, by label."""
    found = [
        model
        for model in apps.get_models()
        if issubclass(model, IncrementalView) and not model._meta.proxy and not model._meta.swapped
    ]
    return sorted(found, key=lambda model: model._meta.label_lower)


def allowed(model: ViewModel, using: str) -> bool:
    """Whether a view belongs into a database: its `IVM.using`, the routers' `allow_migrate`, PostgreSQL."""
    wanted = model._ivm_options.using
    return (
        connections[using].vendor == "postgresql"
        and (wanted is None or wanted == using)
        and router.allow_migrate_model(using, model)
    )


def models_for(using: str) -> list[ViewModel]:
    """The views that belong into a database, by label."""
    return [model for model in view_models() if allowed(model, using)]


def dependencies(
    models: list[ViewModel], broken: dict[ViewModel, IVMError] | None = None
) -> dict[ViewModel, set[ViewModel]]:
    """view → the views among `models` that it reads directly. Needs no database.

    A view whose definition can't be read raises DefinitionError, or, when `broken` is given, is left out
    and put there.
    """
    by_name: dict[str, list[ViewModel]] = {}
    for model in models:
        by_name.setdefault(definition.table_of(model)[1], []).append(model)
    graph: dict[ViewModel, set[ViewModel]] = {}
    for model in models:
        try:
            tables = definition.reads(model)
        except IVMError as error:
            if broken is None:
                raise
            broken[model] = error
            continue
        graph[model] = {
            other
            for schema, table in tables
            for other in by_name.get(table, ())
            if _same_schema(schema, definition.table_of(other)[0])
        }
    return {model: parents.intersection(graph) for model, parents in graph.items()}


def _same_schema(referenced: str | None, declared: str | None) -> bool:
    # A view without a declared schema is in the first one of the search_path: any name may mean that one.
    return referenced is None or declared is None or referenced == declared


def in_order(graph: dict[Any, set[Any]], circles: list[IVMError] | None = None) -> list[Any]:
    """The nodes of a graph, each after what it depends on.

    A circle raises DependencyCycleError that names it, or, when `circles` is given, is left out and its
    error put there.
    """
    while True:
        try:
            return list(graphlib.TopologicalSorter(graph).static_order())
        except graphlib.CycleError as error:
            circle = error.args[1]
            names = " → ".join(_name(node) for node in reversed(circle))
            found = DependencyCycleError(
                f"Views read each other in a circle: {names}.",
                code="cycle",
                hint="One of them must read the tables beneath instead.",
            )
            if circles is None:
                raise found from None
            circles.append(found)
            graph = {node: parents - {*circle} for node, parents in graph.items() if node not in circle}


def _name(node: Any) -> str:
    return node._meta.label if hasattr(node, "_meta") else str(node)


def ordered(using: str | None = None, broken: dict[ViewModel, IVMError] | None = None) -> list[ViewModel]:
    """The views (of a database), each after the views it reads; `broken` as for `dependencies`.

    Raises DependencyCycleError.
    """
    return in_order(dependencies(view_models() if using is None else models_for(using), broken))


@dataclass(frozen=True, eq=False)
class Target:
    """One view of one database: declared by a model, installed, or both."""

    name: str
    using: str
    schema: str | None = None
    model: ViewModel | None = None
    installed: InstalledView | None = None

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """`app.View` for a declared view, the table's name for one without a model."""
        return self.model._meta.label if self.model is not None else self.name

    @property
    def orphan(self) -> bool:
        """Installed for a model that is in the code no more."""
        return self.model is None and self.installed is not None and bool(self.installed.label)

    def spec(self) -> ViewSpec:
        """What installing it means; raises IVMError for a definition that can't be used."""
        if self.model is not None:
            return definition.spec(self.model, self.using)
        assert self.installed is not None
        return self.installed.spec

    def require_match(self) -> None:
        """Raises DefinitionError when a declared view's fields aren't its query's outputs."""
        if self.model is not None:
            definition.require_match(self.model, self.using)

    def explain(self) -> Explanation:
        """How the view is, or would be, kept."""
        if self.model is not None:
            return definition.explain(self.model, self.using)
        return self.handle().explain()

    def status(self) -> ViewStatus:
        """What the database says about the view."""
        if self.model is not None:
            return definition.status(self.model, self.using)
        return self.handle().status()

    def handle(self) -> View:
        """The engine's handle."""
        if self.model is not None:
            return definition.handle(self.model, self.using)
        assert self.installed is not None
        return definition.handle_of_installed(self.installed, self.using)


def targets(using: str, circles: list[IVMError] | None = None) -> list[Target]:
    """Every view of a database, declared or installed, each after the views it reads; `circles` as for
    `in_order`.

    A declared view whose definition can't be read is there too: its `spec()` says why.
    """
    from .engine import install

    left = install.installed(connections[using])
    reads: dict[Target, set[tuple[str | None, str]]] = {}
    for model in models_for(using):
        schema, name = definition.table_of(model)
        view = next((v for v in left if v.name == name and _same_schema(schema, v.schema)), None)
        left = [v for v in left if v is not view]
        target = Target(name, using, schema, model, view)
        try:
            reads[target] = definition.reads(model)
        except IVMError:
            reads[target] = set()
    for view in left:
        reads[Target(view.name, using, view.schema, None, view)] = {(None, name) for name in view.depends_on}
    graph = {
        target: {
            other
            for schema, name in tables
            for other in reads
            if other.name == name and _same_schema(schema, other.schema)
        }
        for target, tables in reads.items()
    }
    return in_order(graph, circles)
