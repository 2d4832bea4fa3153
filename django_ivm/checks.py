"""System checks, `django_ivm.E…` and `django_ivm.W…`.

Those that need a server are tagged `database` and run only for the aliases they are asked for, so that
plain `check` and `makemigrations` work without one.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections, models
from django.utils import timezone

from . import definition, fields, queryset, registry
from .base import METHODS, IncrementalView
from .errors import DependencyCycleError, IVMError

if TYPE_CHECKING:
    from .engine.install import Compiled

ViewModel = type[IncrementalView]


def _selected(app_configs: Sequence[AppConfig] | None) -> list[ViewModel]:
    views = registry.view_models()
    if app_configs is None:
        return views
    labels = {config.label for config in app_configs}
    return [model for model in views if model._meta.app_label in labels]


def _error(number: str, error: IVMError, model: ViewModel) -> Error:
    where = f" (at {error.location})" if error.location else ""
    return Error(error.message + where, hint=error.hint or None, obj=model, id=f"django_ivm.{number}")


@register(Tags.models)
def check_views(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """What can be said about the declared views without a database."""
    found: list[CheckMessage] = []
    for model in _selected(app_configs):
        for check in _OFFLINE:
            found.extend(check(model))
    found.extend(_cycles(registry.view_models()))
    return found


def _definition(model: ViewModel) -> Iterator[CheckMessage]:
    try:
        definition.check_names(model)
        if model._ivm_source == "get_queryset":
            _build_queryset(model)
        else:
            definition.sql_text(model)
    except IVMError as error:
        numbers = {"sql-file-missing": "E002", "name-too-long": "E012", "bad-name": "E012"}
        yield _error(numbers.get(error.code, "E001"), error, model)


def _build_queryset(model: ViewModel) -> None:
    value = definition.call_get_queryset(model)
    if value.query.is_empty():
        raise IVMError(
            f"{model.__name__}.get_queryset() is always empty.",
            code="empty-queryset",
            hint="Remove none() from it.",
        )


def _using(model: ViewModel) -> Iterator[CheckMessage]:
    using = model._ivm_options.using
    if using is not None and using not in settings.DATABASES:
        yield Error(
            f"{model._meta.label}: using = {using!r} in its class IVM is no database of settings.DATABASES.",
            hint=f"Known databases: {', '.join(settings.DATABASES)}.",
            obj=model,
            id="django_ivm.E013",
        )


def _relations(model: ViewModel) -> Iterator[CheckMessage]:
    for field in model._meta.local_many_to_many:
        yield Error(
            f"{model._meta.label}.{field.name} is a many-to-many field, which no query can fill.",
            hint="Declare the relation's table as a view of its own.",
            obj=field,
            id="django_ivm.E008",
        )
    for field in model._meta.local_fields:
        remote = field.remote_field
        if remote is not None and remote.on_delete is not models.DO_NOTHING:
            yield Error(
                f"{model._meta.label}.{field.name}: "
                f"on_delete is {getattr(remote.on_delete, '__name__', remote.on_delete)}, "
                "but Django can't delete or change rows of a view.",
                hint="Use models.DO_NOTHING: the view follows its query by itself.",
                obj=field,
                id="django_ivm.E008",
            )
    for relation in model._meta.get_fields(include_hidden=True):
        field = getattr(relation, "field", None)
        if not relation.auto_created or relation.concrete or field is None:
            continue
        owner = field.model
        if issubclass(owner, IncrementalView) or not owner._meta.managed or owner._meta.auto_created:
            continue
        if getattr(field, "db_constraint", False):
            yield Error(
                f"{owner._meta.label}.{field.name} refers to the view {model._meta.label} with a constraint "
                "in the database, and a view's rows come and go with its query.",
                hint="Add db_constraint=False to the field.",
                obj=field,
                id="django_ivm.E007",
            )


def _composite_key(model: ViewModel) -> Iterator[CheckMessage]:
    key = model._meta.pk
    if not isinstance(key, models.CompositePrimaryKey):
        return
    for field in model._meta.pk_fields:
        if field.null:
            yield Error(
                f"{model._meta.label}: {field.name} is part of the primary key and may be NULL.",
                hint="Remove the CompositePrimaryKey: the view then gets a surrogate id.",
                obj=field,
                id="django_ivm.E009",
            )


def _shadowing(model: ViewModel) -> Iterator[CheckMessage]:
    for field in model._meta.fields:
        if field.name in METHODS or field.attname in METHODS:
            _, table = definition.table_of(model)
            yield Warning(
                f"{model._meta.label}.{field.name} hides the method {field.name}() of views.",
                hint=f"Reading the field works; for the method call "
                f"django_ivm.get_view({table!r}).{field.name}(), or rename it and set db_column.",
                obj=field,
                id="django_ivm.W001",
            )


def _frozen_time(model: ViewModel) -> Iterator[CheckMessage]:
    if model._ivm_source != "get_queryset":
        return
    try:
        first, second = (queryset.time_literals(definition.call_get_queryset(model)) for _ in range(2))
    except IVMError:
        return  # reported as E001
    for literal, again in zip(first, second, strict=False):
        # Built twice, a clock gives two answers; a day gives only one, so today's date is suspect by itself.
        if literal != again or _is_now(literal):
            yield Warning(
                f"{model._meta.label}: get_queryset() writes the current time into the query ({literal}): "
                "it is frozen at installation, and the view looks outdated ever after.",
                hint="Store the time in a table the query reads, or filter by it when reading the view.",
                obj=model,
                id="django_ivm.W002",
            )
            return


def _is_now(value: datetime.date) -> bool:
    if not isinstance(value, datetime.datetime):
        return value in (datetime.date.today(), timezone.now().date())  # noqa: DTZ011 -- what users write
    now = timezone.now() if timezone.is_aware(value) else timezone.make_naive(timezone.now())
    return abs(now - value) < datetime.timedelta(minutes=5)


_OFFLINE: tuple[Callable[[ViewModel], Iterable[CheckMessage]], ...] = (
    _definition,
    _using,
    _relations,
    _composite_key,
    _shadowing,
    _frozen_time,
)


def _cycles(views: list[ViewModel]) -> Iterator[CheckMessage]:
    try:
        registry.in_order(registry.dependencies(views, broken={}))
    except DependencyCycleError as error:
        yield Error(error.message, hint=error.hint, id="django_ivm.E010")


@register(Tags.database)
def check_views_in_databases(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The declared fields and strategies against what each database says about the queries."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        if connections[alias].vendor != "postgresql":
            continue
        connections[alias].ensure_connection()  # a server that is away is no fault of the views
        broken: dict[ViewModel, IVMError] = {}
        try:
            order = registry.ordered(alias, broken)
        except DependencyCycleError:
            continue  # reported as E010
        chosen = set(_selected(app_configs))
        # Of those that can't be read, the database has the better message for SQL; querysets are reported
        # as E001.
        order += [model for model in broken if model._ivm_source != "get_queryset"]
        messages = [message for model in order if model in chosen for message in _in_database(model, alias)]
        # Migrations still to run may well be what makes the query right; and `migrate` itself runs these
        # checks.
        if messages and not _migrations_pending(alias):
            found.extend(messages)
    return found


def _in_database(model: ViewModel, alias: str) -> Iterator[CheckMessage]:
    try:
        found = definition.definition(model, alias)
        outputs = definition.described_outputs(found, alias)
    except IVMError as error:
        yield _error("E001", error, model)
        return
    except DatabaseError as error:
        yield from _refused_query(model, alias, error)
        return
    by_column = found.outputs is None
    matched = fields.match(model, outputs, by_column=by_column)
    for code, message, hint in fields.problems(model, matched, by_column=by_column):
        yield Error(message, hint=hint, obj=model, id=f"django_ivm.{code}")
    for output, field in matched.pairs:
        declared = fields.differing_type(field, output.type, connections[alias])
        if declared is not None:
            yield Warning(
                f"{model._meta.label}.{field.name} is declared {declared}, but the query gives {output.type}.",
                hint=f"Declare it as the query gives it: {fields.field_line(output, field.name)}",
                obj=field,
                id="django_ivm.W003",
            )
    if not (matched.unmatched_outputs or matched.unmatched_fields or matched.repeated):
        yield from _kept(model, alias)


def _refused_query(model: ViewModel, alias: str, error: DatabaseError) -> Iterator[CheckMessage]:
    if _reads_missing_view(model, alias):
        return  # views that read a view are looked at once that one is installed
    yield Error(
        f"{model._meta.label}: the database {alias!r} refuses its query: {str(error).splitlines()[0]}",
        hint="Mend the query; `ivm_explain` shows where.",
        obj=model,
        id="django_ivm.E003",
    )


def _reads_missing_view(model: ViewModel, alias: str) -> bool:
    connection = connections[alias]
    with connection.cursor() as cursor:
        for parent in registry.dependencies(registry.models_for(alias), broken={}).get(model, ()):
            cursor.execute("SELECT to_regclass(%s)", [connection.ops.quote_name(parent._meta.db_table)])
            if cursor.fetchone()[0] is None or _reads_missing_view(parent, alias):
                return True
    return False


def _kept(model: ViewModel, alias: str) -> Iterator[CheckMessage]:
    """How the view would be kept: what it says it must be, and with all indexes that a write would use."""
    from .engine import install

    required = model._ivm_options.strategy == "incremental"
    if model._ivm_options.strategy == "full":
        return
    try:
        plan = install.plan(definition.spec(model, alias), connections[alias])
    except IVMError as error:
        if required:
            yield _error("E011" if type(error).__name__ == "NotIncrementalError" else "E003", error, model)
        return
    except DatabaseError as error:
        if required:
            yield from _refused_query(model, alias, error)
        return
    yield from _unsecured(model, plan)
    if plan.strategy == "incremental":
        yield from _missing_indexes(model, plan, alias)
    elif required:
        yield from _not_incremental(model, plan)


def _unsecured(model: ViewModel, plan: Compiled) -> Iterator[CheckMessage]:
    if plan.unsecured:
        yield Warning(
            f"{model._meta.label} reads {', '.join(plan.unsecured)}, whose row level security doesn't apply to "
            "maintenance: whoever may read the view sees all of its rows.",
            hint="Grant the view to those alone who may see them, or give the view's own table policies.",
            obj=model,
            id="django_ivm.W006",
        )


def _missing_indexes(model: ViewModel, plan: Compiled, alias: str) -> Iterator[CheckMessage]:
    from .engine.advice import advise

    for index in advise(plan.installation.missing_indexes, plan.catalog, connections[alias]):
        if index.small:
            continue
        where = f"Add to Meta.indexes of {index.model}: " if index.model else "Run: "
        yield Warning(
            f"{model._meta.label}: a write would look rows of {index.table} (about {index.rows:,}) up by "
            f"{', '.join(index.columns)}, and no index helps.",
            hint=where + index.definition,
            obj=model,
            id="django_ivm.W004",
        )


def _not_incremental(model: ViewModel, plan: Compiled) -> Iterator[CheckMessage]:
    for reason in plan.reasons:
        where = f" (at {reason.location})" if reason.location else ""
        yield Error(
            f'{model._meta.label} has strategy = "incremental", but: {reason.message}{where} [{reason.code}]',
            hint=reason.hint or None,
            obj=model,
            id="django_ivm.E011",
        )


def _migrations_pending(alias: str) -> bool:
    from django.db.migrations.executor import MigrationExecutor

    if not apps.is_installed("django_ivm"):
        return False
    executor = MigrationExecutor(connections[alias])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
