"""A view model → `ViewSpec`, the value the engine installs; and everything else that reads a view's
definition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import connections, models, router, transaction
from psycopg.sql import SQL

from . import fields
from .errors import DefinitionError, IVMError, NotIncrementalError
from .queryset import Output, checked_queryset, compile_queryset, model_label, referenced_tables

if TYPE_CHECKING:
    from .engine.install import InstalledView
    from .engine.results import Explanation, ViewStatus
    from .engine.spec import ViewSpec
    from .engine.view import View

MAX_NAME = 63  # bytes: PostgreSQL cuts longer names off with a mere notice


@dataclass(frozen=True, slots=True)
class Definition:
    """A view's query: its text, and its outputs where they are known without asking the database
    (querysets).
    """

    sql: str
    outputs: tuple[Output, ...] | None


def table_of(model: type[models.Model]) -> tuple[str | None, str]:
    """(schema, table) of a model; the schema is None when `db_table` doesn't name one."""
    schema, separator, name = model._meta.db_table.strip('"').rpartition('"."')
    return (schema if separator else None), name


def default_alias(model: type[models.Model], using: str | None = None) -> str:
    """The database meant when none is named: `IVM.using`, else what the routers say."""
    return using or model._ivm_options.using or router.db_for_write(model)  # type: ignore[attr-defined]


def sql_file_path(model: type[models.Model]) -> Path:
    """Where a view's `sql_file` is: relative to its app's directory."""
    base = Path(apps.get_app_config(model._meta.app_label).path)
    return base / model.sql_file  # type: ignore[attr-defined]


def call_get_queryset(model: type[models.Model]) -> models.QuerySet[Any]:
    """The view's queryset; raises DefinitionError when building it fails or it is something else."""
    try:
        value = model.get_queryset()  # type: ignore[attr-defined]
    except Exception as error:
        raise DefinitionError(
            f"{model.__name__}.get_queryset() failed: {type(error).__name__}: {error}", code="bad-queryset"
        ) from error
    return checked_queryset(value, model.__name__)


def sql_text(model: type[models.Model]) -> str:
    """The SQL of a view that is defined by text or by a file; raises DefinitionError when it can't be
    used.
    """
    if model._ivm_source == "sql":  # type: ignore[attr-defined]
        text, where = model.sql, "sql"  # type: ignore[attr-defined]
    else:
        path = sql_file_path(model)
        where = str(model.sql_file)  # type: ignore[attr-defined]
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise DefinitionError(
                f"{model.__name__}: its sql_file isn't there: {path}",
                code="sql-file-missing",
                hint=f"Create {path} with the view's SELECT in it.",
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise DefinitionError(
                f"{model.__name__}: its sql_file {path} can't be read: {error}", code="sql-file-unreadable"
            ) from error
        if not text.strip():
            raise DefinitionError(f"{model.__name__}: its sql_file {path} is empty.", code="sql-file-empty")
    _refuse_parameters(text, f"{model.__name__}.{where}")
    return text


# Texts in which a placeholder is no placeholder: comments, quoted names, strings of all four kinds.
_QUOTED = re.compile(
    r"""--[^\n]*|/\*.*?\*/|"(?:[^"]|"")*"|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$""",
    re.DOTALL,
)
_PLACEHOLDER = re.compile(r"%s\b|%\(\w+\)s|(?<![\w$])\$\d+")


def _refuse_parameters(sql: str, where: str) -> None:
    blanked = _QUOTED.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), sql)
    found = _PLACEHOLDER.search(blanked)
    if found:
        line = blanked.count("\n", 0, found.start()) + 1
        raise DefinitionError(
            f"{where} has a parameter left over: {found.group()}.",
            code="parameter",
            location=f"line {line}",
            hint="A view has no parameters: write the value in (or a space after % if it means modulo).",
        )


def definition(model: type[models.Model], using: str) -> Definition:
    """The view's query for a database. Only querysets connect to it. Raises DefinitionError."""
    if model._ivm_source == "get_queryset":  # type: ignore[attr-defined]
        sql, outputs = compile_queryset(call_get_queryset(model), using, model.__name__)
        return Definition(sql, tuple(outputs))
    return Definition(sql_text(model), None)


def describe(sql: str, using: str) -> list[tuple[str, str]]:
    """(name, type) of each output of a query, as the database sees it, without running it."""
    body = sql.strip().rstrip(";")
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        # A SELECT around it, and no row wanted: the query is planned, never run.
        cursor.execute(SQL("SELECT * FROM (\n{}\n) AS described LIMIT 0").format(SQL(body)))
        result = cursor.cursor.pgresult
        names = [(result.fname(i) or b"").decode() for i in range(result.nfields)]
        codes = [(result.ftype(i), result.fmod(i)) for i in range(result.nfields)]
        cursor.execute(
            "SELECT format_type(oid, modifier) FROM unnest(%s::oid[], %s::int[]) "
            "WITH ORDINALITY AS t(oid, modifier, n) ORDER BY n",
            [[oid for oid, _ in codes], [modifier for _, modifier in codes]],
        )
        return list(zip(names, [row[0] for row in cursor.fetchall()], strict=True))


def described_outputs(found: Definition, using: str) -> list[Output]:
    """The outputs with their types, from the database; raises its error when the query can't run there."""
    described = describe(found.sql, using)
    if found.outputs is None:
        return [Output(name, (name,), type=kind) for name, kind in described]
    return [
        Output(output.column, output.names, output.field, kind)
        for output, (_, kind) in zip(found.outputs, described, strict=True)
    ]


def mismatches(model: type[models.Model], using: str) -> list[tuple[str, str, str]]:
    """Fields and outputs that don't go together, as (code, message, hint). Asks the database."""
    found = definition(model, using)
    outputs = described_outputs(found, using)
    by_column = found.outputs is None
    return fields.problems(model, fields.match(model, outputs, by_column=by_column), by_column=by_column)


def require_match(model: type[models.Model], using: str) -> None:
    """Raises one DefinitionError that lists every mismatch of fields and outputs."""
    wrong = mismatches(model, using)
    if wrong:
        raise DefinitionError(
            " ".join(message for _, message, _ in wrong),
            code="fields",
            hint=" ".join(dict.fromkeys(hint for _, _, hint in wrong)),
        )


def check_names(model: type[models.Model]) -> None:
    """Raises DefinitionError for a name PostgreSQL would cut off."""
    schema, table = table_of(model)
    named = [("table", table), ("schema", schema or "")]
    named += [("column", field.column) for field in model._meta.concrete_fields if field.column]
    for kind, name in named:
        size = len(name.encode())
        if size > MAX_NAME:
            option = "db_column" if kind == "column" else "Meta.db_table"
            raise DefinitionError(
                f"{model.__name__}: the name of its {kind} is {size} bytes long, PostgreSQL keeps {MAX_NAME}: {name}",
                code="name-too-long",
                hint=f"Set a shorter {option}.",
            )
        if {'"', "%", "\x00"}.intersection(name):
            raise DefinitionError(
                f"{model.__name__}: the name of its {kind} has a character Django can't quote: {name!r}",
                code="bad-name",
            )


def spec(model: type[models.Model], using: str | None = None) -> ViewSpec:
    """What is to be installed for a view model.

    Raises DefinitionError. Cheap enough for a comparison: no query runs but what a connection needs to start.
    """
    from .engine.spec import ViewSpec

    alias = default_alias(model, using)
    options = model._ivm_options  # type: ignore[attr-defined]
    check_names(model)
    found = definition(model, alias)
    renames: tuple[tuple[str, str], ...] = ()
    if found.outputs is not None:
        matched = fields.match(model, list(found.outputs), by_column=False)
        if matched.unmatched_outputs or matched.unmatched_fields or matched.repeated:
            require_match(model, alias)  # the same again, with the types the suggestions need
        renames = matched.renames
    schema, name = table_of(model)
    surrogate = model._ivm_surrogate  # type: ignore[attr-defined]
    return ViewSpec(
        name=name,
        schema=schema,
        sql=found.sql,
        mode=options.mode,
        strategy=options.strategy,
        on_error=options.on_error,
        prefer=options.prefer,
        label=model._meta.label,
        renames=renames,
        surrogate=model._meta.get_field(surrogate).column if surrogate else None,
        indexes_sql=indexes_sql(model, alias),
        grants=options.grants,
    )


def indexes_sql(model: type[models.Model], using: str) -> tuple[str, ...]:
    """SQL of the view's indexes: `db_index` and `unique` of fields, Meta.indexes and unique constraints."""
    wanted: list[models.Index | models.BaseConstraint] = []
    for field in fields.column_fields(model):
        # A unique field is what the query makes it: enforcing it could only make somebody's write fail.
        # Who wants that says so by a UniqueConstraint.
        if (field.db_index or field.unique) and not field.primary_key:
            index = models.Index(fields=[field.name])
            index.set_name_with_model(model)
            wanted.append(index)
    wanted += model._meta.indexes
    for constraint in model._meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint):
            raise DefinitionError(
                f"{model.__name__}: Meta.constraints has a {type(constraint).__name__}.",
                code="constraint",
                hint="Views take UniqueConstraint; put other conditions into the query.",
            )
        wanted.append(constraint)
    with connections[using].schema_editor(collect_sql=True, atomic=False) as editor:
        made = [item.create_sql(model, editor) for item in wanted]
    return tuple(str(statement) for statement in made if statement is not None)


def reads(model: type[models.Model]) -> set[tuple[str | None, str]]:
    """(schema, table) of everything the view reads, found without a database."""
    if model._ivm_source == "get_queryset":  # type: ignore[attr-defined]
        tables = referenced_tables(call_get_queryset(model))
        return {_split(table) for table in tables}
    from .engine.analyse import referenced_tables as tables_in_sql

    text = sql_text(model)
    try:
        return set(tables_in_sql(text))
    except IVMError:
        raise
    except Exception as error:
        raise DefinitionError(f"{model.__name__}: its SQL can't be parsed: {error}", code="syntax") from error


def _split(db_table: str) -> tuple[str | None, str]:
    schema, separator, name = db_table.strip('"').rpartition('"."')
    return (schema if separator else None), name


def source_labels(model: type[models.Model]) -> list[str]:
    """What the view reads, as `app.Model` where a model has the table, for people to read."""
    known = {table_of(m)[1]: m for m in apps.get_models() if not m._meta.proxy}
    return sorted({model_label(table, known) for _, table in reads(model)})


def handle(model: type[models.Model], using: str | None = None) -> View:
    """The engine's handle of a view model."""
    from .engine.view import View

    schema, name = table_of(model)
    return View(name, default_alias(model, using), schema)


def explain(model: type[models.Model], using: str | None = None) -> Explanation:
    """How the declaration is, or would be, kept; also for a view that must be incremental and can't be."""
    from .engine import view as engine

    alias = default_alias(model, using)
    declared = spec(model, alias)
    try:
        return engine.explain(declared, connections[alias])
    except NotIncrementalError:
        return engine.explain(replace(declared, strategy="auto"), connections[alias])


def status(model: type[models.Model], using: str | None = None) -> ViewStatus:
    """What the database says about the view; outdated also when something else is declared than installed."""
    from .engine import install

    alias = default_alias(model, using)
    found = handle(model, alias).status()
    if not found.installed or found.outdated:
        return found
    try:
        current = install.state(spec(model, alias), connections[alias]) is install.InstallState.INSTALLED
    except IVMError:
        current = False  # what is declared can't be what is installed
    return replace(found, outdated=not current)


def handle_of_installed(view: InstalledView, using: str) -> View:
    """The engine's handle of a view without a model."""
    from .engine.view import View

    return View(view.name, using, view.schema)
