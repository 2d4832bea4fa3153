"""What `migrate` does for views: detach the ones a plan could break, put them back afterwards, install new
ones.

No Django command is overridden; everything hangs on `pre_migrate` and `post_migrate`, per database.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.db import connections, router, transaction
from django.db.migrations import operations as ops
from django.db.migrations.operations.base import Operation
from django.db.models import Model
from django.db.models.signals import post_migrate, pre_migrate

from . import conf, definition, registry
from .base import IncrementalView
from .errors import IVMError
from .registry import Target, ViewModel

if TYPE_CHECKING:
    from .engine.install import InstalledView
    from .engine.spec import ViewSpec

logger = logging.getLogger("django_ivm")

EVERYTHING = None  # what RunSQL, RunPython and operations unknown to us may touch


def connect() -> None:
    """Listen to `migrate`; calling it again changes nothing."""
    # Without a sender: app configs are made anew whenever INSTALLED_APPS is overridden.
    pre_migrate.connect(before_migrate, dispatch_uid="django_ivm.before_migrate")
    post_migrate.connect(after_migrate, dispatch_uid="django_ivm.after_migrate")


def _wanted(using: str) -> bool:
    return conf.install_on_migrate() and connections[using].vendor == "postgresql"


def before_migrate(
    sender: AppConfig,
    using: str,
    plan: Iterable[tuple[Any, bool]] = (),
    apps: Any = None,
    **kwargs: Any,
) -> None:
    """Detach every installed view whose sources the plan may touch, and the views that read those.

    An error here is raised: PostgreSQL would refuse some of the migrations, and others would break the
    triggers.
    """
    plan = list(plan)
    if sender.name != "django_ivm" or not plan or not _wanted(using):
        return
    from .engine import install, unfinished

    connection = connections[using]
    touched = touched_tables(plan, apps, using)
    with transaction.atomic(using=using), connection.cursor() as cursor:
        unfinished.give_way_to_migrations(cursor, touched)
    views = affected(install.installed(connection), touched)
    if not views:
        return
    # One transaction: a migration that dies half way leaves views that say they are stale.
    with transaction.atomic(using=using):
        for view in reversed(views):
            install.detach(view, connection)
    names = ", ".join(view.label or view.name for view in views)
    logger.info("Detached before migrations on %s: %s", using, names)
    _say(kwargs, 1, f"  Detached incremental views: {names}")


def affected(views: list[InstalledView], tables: set[str] | None) -> list[InstalledView]:
    """Those of `views` (parents first) that read one of `tables` (as `db_table` has them), or read such
    a view.
    """
    chosen: dict[str, InstalledView] = {}
    for view in views:
        sources = {name for _, name in view.sources} | {f'"{schema}"."{name}"' for schema, name in view.sources}
        if tables is EVERYTHING or sources & tables or any(name in chosen for name in view.depends_on):
            chosen[view.name] = view
    return list(chosen.values())


def touched_tables(plan: Iterable[tuple[Any, bool]], apps_before: Any, using: str) -> set[str] | None:
    """`db_table` of the tables whose shape a plan may change; EVERYTHING when that can't be told."""
    tables: set[str] = set()
    for migration, backwards in plan:
        for operation in _flattened(migration.operations):
            touched = _touched(operation, migration.app_label, backwards, apps_before, using)
            if touched is EVERYTHING:
                return EVERYTHING
            tables |= touched
    return tables


def _flattened(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, ops.SeparateDatabaseAndState):
            yield from _flattened(operation.database_operations)
        else:
            yield operation


# They leave columns and keys alone. A dropped constraint is not among them: a plan may rely on what it said.
_HARMLESS = (
    ops.AlterModelOptions,
    ops.AlterModelManagers,
    ops.AlterModelTableComment,
    ops.AlterConstraint,
    ops.AlterIndexTogether,
    ops.AddIndex,
    ops.RemoveIndex,
    ops.RenameIndex,
    ops.AddConstraint,
)
_HARMLESS_MODULES = ("pgtrigger.", "django.contrib.postgres.operations")
_MODEL_OPERATIONS = (
    ops.AddField,
    ops.AlterField,
    ops.AlterModelTable,
    ops.AlterOrderWithRespectTo,
    ops.AlterUniqueTogether,
    ops.CreateModel,
    ops.DeleteModel,
    ops.RemoveConstraint,
    ops.RemoveField,
    ops.RenameField,
    ops.RenameModel,
)


def _touched(operation: Operation, app_label: str, backwards: bool, apps_before: Any, using: str) -> set[str] | None:
    if isinstance(operation, _HARMLESS) or type(operation).__module__.startswith(_HARMLESS_MODULES):
        return set()
    if isinstance(operation, ops.RunSQL):
        noop = (operation.reverse_sql if backwards else operation.sql) == ops.RunSQL.noop
        return set() if noop else EVERYTHING
    if isinstance(operation, ops.RunPython):
        noop = (operation.reverse_code if backwards else operation.code) == ops.RunPython.noop
        return set() if noop else EVERYTHING
    if not isinstance(operation, _MODEL_OPERATIONS):
        return EVERYTHING
    if isinstance(operation, ops.AddField | ops.CreateModel) and not backwards:
        return set()  # nothing that stands reads what is new
    model = _model_before(operation, app_label, backwards, apps_before)
    if model is None or not router.allow_migrate_model(using, model) or not model._meta.managed:
        return set()
    if isinstance(operation, ops.AlterField) and not _alters_column(operation, model):
        return set()
    tables = {model._meta.db_table}
    tables |= {field.remote_field.through._meta.db_table for field in model._meta.local_many_to_many}
    if isinstance(operation, ops.RenameModel | ops.DeleteModel) or _alters_key(operation, model):
        # A key's new type or a model's new name changes the columns that refer to it.
        tables |= {
            relation.field.model._meta.db_table
            for relation in model._meta.get_fields(include_hidden=True)
            if relation.auto_created and not relation.concrete and hasattr(relation, "field")
        }
    return tables


def _model_before(operation: Any, app_label: str, backwards: bool, apps_before: Any) -> type[Model] | None:
    if isinstance(operation, ops.RenameModel):
        name = operation.new_name if backwards else operation.old_name
    else:
        name = getattr(operation, "model_name", None) or operation.name
    try:
        return apps_before.get_model(app_label, name)
    except LookupError:
        return None  # the plan itself makes or renames it, and the operation that does has been counted


def _alters_key(operation: Operation, model: type[Model]) -> bool:
    return isinstance(operation, ops.AlterField) and any(
        field.name == operation.name and field.unique for field in model._meta.local_fields
    )


def _alters_column(operation: Any, model: type[Model]) -> bool:
    """Whether an AlterField changes more than help texts, choices and the like."""
    old = next((f for f in model._meta.local_fields if f.name == operation.name), None)
    if old is None:
        return True
    shapes = []
    for field in (old, operation.field):
        _, path, args, kwargs = field.deconstruct()
        shapes.append((path, args, {k: v for k, v in kwargs.items() if k not in field.non_db_attrs}))
    return shapes[0] != shapes[1] or old.db_column != operation.field.db_column


def after_migrate(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Install what is missing or outdated: views new in the code, changed ones, and those detached before.

    Runs once per database, for the last app's signal: receivers of other apps may create tables, functions
    or rows that a view reads, and Django sends the signal app by app. `flush` sends it too, so the usual
    case is a comparison and no DDL. A view that can't be installed is reported and left stale: it must not
    stop a deployment.
    """
    if not _is_last(sender) or not _wanted(using):
        return
    from .engine import install

    connection = connections[using]
    circles: list[IVMError] = []
    for target in registry.targets(using, circles):
        if target.orphan:
            continue  # its model is gone: `ivm_install --prune` removes it
        try:
            spec = target.spec()
            if "plan" not in kwargs and _as_recorded(target, spec):
                continue  # a flush, which changes no schema: no need to look at every trigger
            before = install.state(spec, connection)
            if before == install.InstallState.INSTALLED:
                continue
            target.require_match()
            install.install(spec, connection, trigger="migrate")
        except Exception as error:  # noqa: BLE001 -- whatever it is, it must not stop a deployment
            _report(target, error, kwargs)
        else:
            _say(kwargs, 1, f"  Installed incremental view {target} (was {before.value})")
    for error in circles:
        logger.error("%s", error)
        _say(kwargs, 1, f"  {error}", error=True)


def _as_recorded(target: Target, spec: ViewSpec) -> bool:
    view = target.installed
    return view is not None and not view.detached and view.spec_hash == spec.hash


def _is_last(sender: AppConfig) -> bool:
    with_models = [config for config in apps.get_app_configs() if config.models_module is not None]
    return bool(with_models) and with_models[-1].name == sender.name


def _report(target: Target, error: Exception, kwargs: dict[str, Any]) -> None:
    missing = _missing_tables(target.model, target.using) if target.model is not None else []
    if missing:
        _say(kwargs, 2, f"  Incremental view {target} waits for {', '.join(missing)}")
        return
    message = f"Could not install the incremental view {target} on {target.using}: {error}"
    logger.error("%s", message, exc_info=error if logger.isEnabledFor(logging.DEBUG) else None)
    _say(
        kwargs,
        1,
        f"  {message}\n  It is missing or stale until `manage.py ivm_install` succeeds.",
        error=True,
    )


def _missing_tables(model: ViewModel, using: str) -> list[str]:
    """Labels of the models the view reads whose tables aren't there yet.

    A later `migrate` makes them; a view among them is reported, or waits, by itself.
    """
    try:
        read = {name for _, name in definition.reads(model)}
    except IVMError:
        return []
    connection = connections[using]
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor, include_views=True))
    return sorted(
        other._meta.label
        for other in apps.get_models()
        if definition.table_of(other)[1] in read - there
        and (other._meta.managed or issubclass(other, IncrementalView))
        and not other._meta.proxy
    )


def _say(kwargs: dict[str, Any], verbosity: int, text: str, *, error: bool = False) -> None:
    stdout = kwargs.get("stdout")
    if stdout is None or kwargs.get("verbosity", 1) < verbosity:
        return
    style = getattr(stdout, "style_func", None)
    if error:
        from django.core.management.color import color_style

        stdout.write(text, color_style().ERROR)
    else:
        stdout.write(text) if style is not None else stdout.write(text + "\n")
