"""Install, uninstall and detach views. All of it is transactional; two installers wait for each other."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.db import transaction
from psycopg import sql as pg

from .. import _sql, signals
from ..compiler.pg import names
from ..errors import DefinitionError, DependencyCycleError, IVMError, NotIncrementalError, NotInstalledError
from . import convert, leftovers, logs, pinning, policies, register, unfinished, witness
from .introspect import registered, rows
from .register import InstalledView, intact
from .results import Reason
from .spec import ViewSpec

if TYPE_CHECKING:
    from ..compiler import Installation, Trace
    from ..compiler.pg.catalog import Catalog

logger = logging.getLogger("django_ivm")
Progress = Callable[[str], None]
_SYSTEM_COLUMNS = frozenset(["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"])
_MODES = ("immediate", "commit", "deferred", "manual")
_STRATEGIES = ("auto", "incremental", "full")
_PREFERENCES = ("auto", "state", "recompute")
_ON_ERROR = ("raise", "stale")


class InstallState(enum.StrEnum):
    """What a database holds of a declaration."""

    INSTALLED = "installed"
    OUTDATED = "outdated"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A view analysed and compiled against one database, not installed."""

    spec: ViewSpec
    schema: str
    installation: Installation
    catalog: Catalog
    trace: Trace

    @property
    def strategy(self) -> str:
        return self.installation.strategy

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(Reason(r.code, r.message, r.hint, r.location) for r in self.installation.reasons)

    @property
    def unsecured(self) -> tuple[str, ...]:
        """Tables with row level security that the view's readers are not under."""
        return tuple(t.name for t in self.catalog.tables if t.policies)

    @property
    def parents(self) -> tuple[tuple[str, str], ...]:
        """Views (schema, name) that this one reads directly."""
        return tuple(sorted({t.view for t in self.catalog.tables if t.view}))

    def statements(self) -> list[str]:
        """The whole script."""
        indexes = list(self.spec.indexes_sql)
        return [_sql.runtime(), *self.installation.statements(), *indexes]


def validate(spec: ViewSpec) -> None:
    """Raises DefinitionError for values that no database is needed to refuse."""
    if spec.mode not in _MODES:
        raise DefinitionError(f"unknown mode {spec.mode!r}", code="MODE", hint=f"Use one of {', '.join(_MODES)}.")
    if spec.strategy not in _STRATEGIES:
        raise DefinitionError(
            f"unknown strategy {spec.strategy!r}", code="STRATEGY", hint=f"Use one of {', '.join(_STRATEGIES)}."
        )
    if spec.on_error not in _ON_ERROR:
        raise DefinitionError(
            f"unknown on_error {spec.on_error!r}", code="ON_ERROR", hint=f"Use one of {', '.join(_ON_ERROR)}."
        )
    if spec.prefer not in _PREFERENCES:
        raise DefinitionError(
            f"unknown preference {spec.prefer!r}", code="PREFER", hint=f"Use one of {', '.join(_PREFERENCES)}."
        )
    if not spec.name or "\x00" in spec.name:
        raise DefinitionError("a view needs a name", code="NAME", hint="Give it one of up to 63 bytes.")
    if len(spec.name.encode()) > names.LIMIT:
        raise DefinitionError(
            f"the view's name {spec.name!r} has {len(spec.name.encode())} bytes, PostgreSQL keeps {names.LIMIT}",
            code="NAME",
            hint="Choose a shorter name (Meta.db_table for a model).",
        )


def plan(spec: ViewSpec, connection: Any) -> Compiled:
    """Analyse and compile; nothing stays in the database.

    Raises DefinitionError, and NotIncrementalError when strategy is "incremental" and the query can't be kept so.
    """
    from ..compiler import Options, Trace, compile_view
    from .analyse import analyse

    validate(spec)
    canonical, catalog = analyse(connection, spec.sql, spec.settings)
    if not catalog.outputs:
        raise DefinitionError("the query has no columns", code="COLUMNS", hint="Select at least one.")
    schema = spec.schema or current_schema(connection)
    renamed = dict(spec.renames)
    outputs = tuple(renamed.get(c.name, c.name) for c in catalog.outputs)
    if len(set(outputs)) < len(outputs) or (spec.surrogate and spec.surrogate in outputs):
        raise DefinitionError("two columns of the view have one name", code="COLUMNS", hint="Rename one with AS.")
    if system := [name for name in outputs if name in _SYSTEM_COLUMNS]:
        raise DefinitionError(
            f"a table can't have a column named {system[0]!r}, as its own system column is",
            code="COLUMNS",
            hint="Rename it.",
        )
    if ours := [name for name in outputs if name.startswith("ivm_")]:
        raise DefinitionError(
            f"the column name {ours[0]!r} begins with ivm_, which our hidden columns do",
            code="COLUMNS",
            hint="Rename it.",
        )
    _check_cycle(spec, schema, catalog)
    options = Options(
        name=spec.name,
        schema=schema,
        mode=spec.mode,
        strategy=spec.strategy,
        on_error=spec.on_error,
        columns=outputs,
        surrogate=spec.surrogate,
        model=bool(spec.label),
        prefer=spec.prefer,
        settled=spec.settled,
    )
    trace = Trace()
    installation = compile_view(canonical, catalog, options, trace)
    compiled = Compiled(spec, schema, installation, catalog, trace)
    if compiled.reasons and compiled.reasons[0].code == "TEMPORARY":
        first = compiled.reasons[0]
        raise DefinitionError(first.message, code=first.code, hint=first.hint, location=first.location)
    policies.refuse(catalog)
    if spec.strategy == "incremental" and installation.strategy != "incremental":
        first = compiled.reasons[0]
        raise NotIncrementalError(
            f"{spec.name} can't be kept incrementally: {first.message}",
            code=first.code,
            hint=first.hint,
            location=first.location,
        )
    return compiled


def current_schema(connection: Any) -> str:
    with connection.cursor() as cursor:
        schema = rows(cursor, "SELECT current_schema()")[0][0]
    if schema is None:
        raise DefinitionError("the search_path names no schema that exists", code="SCHEMA", hint="Create one.")
    return str(schema)


def _check_cycle(spec: ViewSpec, schema: str, catalog: Catalog) -> None:
    own = {(schema, spec.name)}
    if any((t.schema, t.name) in own for t in catalog.tables):
        raise DependencyCycleError(f"the view {spec.name} reads itself", code="CYCLE", hint="Read its sources instead.")


def _refuse_cycle(spec: ViewSpec, dependents: list[InstalledView]) -> None:
    """A changed definition may not read what reads the view."""
    from .analyse import referenced_tables

    read = {name for _, name in referenced_tables(spec.sql)}
    circle = [view.name for view in dependents if view.name in read]
    if circle:
        raise DependencyCycleError(
            f"{spec.name} would read {circle[0]}, which reads {spec.name}",
            code="CYCLE",
            hint="Read its sources instead.",
        )


def state(spec: ViewSpec, connection: Any) -> InstallState:
    """Compare a declaration with what the database holds; takes no lock."""
    with connection.cursor() as cursor:
        view = register.find(cursor, spec.name, spec.schema)
        if view is None:
            return InstallState.MISSING
        if view.detached or view.spec_hash != spec.hash or not intact(cursor, view):
            return InstallState.OUTDATED
    return InstallState.INSTALLED


def install(
    spec: ViewSpec,
    connection: Any,
    *,
    progress: Progress | None = None,
    trigger: str = "command",
    online: bool = False,
) -> InstallState:
    """Install or bring up to date; nothing happens when the database already holds the declaration.

    Returns the state before. The fill happens in the same transaction as the triggers' creation, after the sources
    have been locked against writers, so that no row falls between them; `online` fills without keeping writers out
    (see `install_online`).
    """
    if online:
        from .online import install_online

        return install_online(spec, connection, progress=progress, trigger=trigger)
    tell = progress or (lambda _text: None)
    found = state(spec, connection)
    if found is InstallState.INSTALLED:
        witness.take_up(connection, spec.name, spec.schema)
        return found
    validate(spec)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        _require_read_committed(cursor)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (register.ADVISORY_LOCK,))
        cursor.execute(_sql.runtime())
        if state(spec, connection) is InstallState.INSTALLED:  # another installer was faster
            return found
        old = register.find(cursor, spec.name, spec.schema)
        if old and convert.possible(cursor, old, spec):
            compiled = convert.convert(connection, cursor, old, spec, tell)
            if compiled is not None:
                return found
        unfinished.give_way(cursor, *_named(spec, old, connection), installing=True)
        dependents = dependents_of(cursor, old.full_name) if old else []
        _refuse_cycle(spec, dependents)
        for view in reversed(dependents):
            _take_off(cursor, view, f"{spec.name}, which it reads, was installed anew")
        if old:
            _drop(cursor, old, keep_data=False)
        tell(f"{spec.name}: analysing")
        compiled = plan(spec, connection)
        refuse_taken_name(cursor, compiled)
        _run(cursor, compiled, tell)
        for view in dependents:
            tell(f"{view.name}: reads {spec.name}, installed again")
            _install_again(cursor, view, connection, tell)
    announce(spec, compiled, connection.alias, trigger)
    return found


def _named(spec: ViewSpec, old: InstalledView | None, connection: Any) -> tuple[str, str]:
    return old.full_name if old else (spec.schema or current_schema(connection), spec.name)


def prepare(connection: Any) -> None:
    """Let the database have what every installation needs."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (register.ADVISORY_LOCK,))
        cursor.execute(_sql.runtime())


def _adopt(spec: ViewSpec, connection: Any) -> None:
    """A view that came with a dump is watched from now on as one that was installed here."""
    with connection.cursor() as cursor:
        view = register.find(cursor, spec.name, spec.schema)
        if view is not None and rows(cursor, "SELECT current_setting('transaction_read_only') = 'off'")[0][0]:
            witness.adopt(cursor, view)
            if witness.alarms_off(cursor, view):
                with transaction.atomic(using=connection.alias):
                    witness.rearm(cursor, view)


def _install_again(cursor: Any, view: InstalledView, connection: Any, tell: Progress) -> None:
    """Put back a view that reads a changed one. One that doesn't fit any more stays detached and says that it is
    stale, until its own declaration is changed."""
    try:
        with transaction.atomic(using=connection.alias):
            compiled = plan(replace(view.spec, schema=view.schema), connection)
            _drop(cursor, view, keep_data=False)
            _run(cursor, compiled, tell)
    except DefinitionError as error:
        logger.warning("%s doesn't fit the changed view that it reads and stays stale: %s", view.name, error)


def _require_read_committed(cursor: Any) -> None:
    isolation = rows(cursor, "SELECT current_setting('transaction_isolation')")[0][0]
    if isolation != "read committed":
        raise IVMError(
            f"a view can't be installed in a {isolation} transaction: its snapshot may be older than the lock",
            code="ISOLATION",
            hint="Install it outside, or in a READ COMMITTED transaction.",
        )


def refuse_taken_name(cursor: Any, compiled: Compiled) -> None:
    name = (compiled.schema, compiled.spec.name)
    leftovers.clear(cursor, *name)
    if rows(cursor, "SELECT to_regclass(quote_ident(%s) || '.' || quote_ident(%s)) IS NOT NULL", name)[0][0]:
        raise DefinitionError(
            f"{compiled.schema}.{compiled.spec.name} exists and is not a view of ours",
            code="NAME",
            hint="Choose another name, or drop that relation.",
        )


def _run(cursor: Any, compiled: Compiled, tell: Progress) -> None:
    installation, spec = compiled.installation, compiled.spec
    for statement in installation.lock_statements():
        tell(f"{spec.name}: waiting for writers")
        cursor.execute(statement)
    tell(f"{spec.name}: filling")
    before = pinning.values(cursor, [name for name, _ in installation.settings])
    for statement in installation.table_statements():
        cursor.execute(statement)
    pinning.pin(cursor, before)
    for statement in spec.indexes_sql:
        cursor.execute(statement)
    tell(f"{spec.name}: triggers")
    put_functions(cursor, installation)
    grant(cursor, compiled)
    register.record(cursor, spec, installation, compiled.parents)
    view = register.find(cursor, spec.name, compiled.schema)
    assert view is not None
    if installation.logs:
        logs.attach(cursor, view, installation)
    witness.note(cursor, view, witness.look(cursor, view))
    cursor.execute(
        "DELETE FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s", (compiled.schema, spec.name)
    )


def grant(cursor: Any, compiled: Compiled) -> None:
    """Let the declared roles read the view."""
    for role in compiled.spec.grants:
        target = pg.Identifier(compiled.schema, compiled.spec.name)
        cursor.execute(pg.SQL("GRANT SELECT ON {} TO {}").format(target, pg.Identifier(role)))


def put_functions(cursor: Any, installation: Installation) -> None:
    """Functions and triggers; those that are there already are replaced."""
    from . import triggers

    made = [text for one in installation.triggers for text in triggers.statements(one)]
    # As one script, each statement once: writers wait meanwhile.
    together = dict.fromkeys([*installation.function_statements(), *made, *installation.guard_statements()])
    cursor.execute(";\n".join(together))


def announce(spec: ViewSpec, compiled: Compiled, using: str, trigger: str) -> None:
    from .view import View

    signals.view_installed.send(sender=View, view=spec.name, using=using)
    if compiled.strategy == "full" and spec.strategy == "auto":
        reason = compiled.reasons[0]
        logger.warning("%s is refreshed in full (%s): %s", spec.name, trigger, reason)
        signals.fell_back.send(sender=View, view=spec.name, using=using, reason=reason)


def uninstall(
    name: str, connection: Any, *, schema: str | None = None, keep_data: bool = False, cascade: bool = False
) -> None:
    """Take a view out: triggers, functions, state and, unless `keep_data`, its table.

    Raises NotInstalledError when it isn't there, IVMError when other views read it and `cascade` is False.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (register.ADVISORY_LOCK,))
        view = register.find(cursor, name, schema)
        if view is None:
            raise NotInstalledError(f"no view {name!r} is installed", code="MISSING", hint="See ivm_status.")
        unfinished.give_way(cursor, *view.full_name)
        dependents = dependents_of(cursor, view.full_name)
        if dependents and not cascade:
            raise IVMError(
                f"{name} is read by {', '.join(v.name for v in dependents)}",
                code="DEPENDENTS",
                hint="Uninstall those first, or with cascade.",
            )
        for dependent in reversed(dependents):
            _drop(cursor, dependent, keep_data=keep_data)
        _drop(cursor, view, keep_data=keep_data)


def dependents_of(cursor: Any, name: tuple[str, str]) -> list[InstalledView]:
    """Views that read the view (schema, name), directly or through others, in dependency order."""
    reached = {name}
    found = []
    for view in register.all_views(cursor):
        if reached & set(view.parents):
            reached.add(view.full_name)
            found.append(view)
    return found


def _drop(cursor: Any, view: InstalledView, *, keep_data: bool) -> None:
    public, storage = pg.Identifier(*view.full_name), pg.Identifier(*view.storage)
    drop_triggers(cursor, view)
    logs.release(cursor, view)
    drop_definition(cursor, view)
    if keep_data:
        cursor.execute(pg.SQL("DROP TRIGGER IF EXISTS ivm_read_only ON {}").format(storage))
        if view.at_read:  # what the view shows now is kept
            cursor.execute(pg.SQL("DELETE FROM {} WHERE ({}) IS NOT TRUE").format(storage, pg.SQL(view.at_read)))  # type: ignore[arg-type]
        if view.storage != view.full_name:
            cursor.execute(pg.SQL("DROP VIEW IF EXISTS {}").format(public))
            cursor.execute(pg.SQL("ALTER TABLE {} SET SCHEMA {}").format(storage, pg.Identifier(view.schema)))
            cursor.execute(
                pg.SQL("ALTER TABLE {} RENAME TO {}").format(
                    pg.Identifier(view.schema, view.storage[1]), pg.Identifier(view.name)
                )
            )
    else:
        if view.storage != view.full_name:
            cursor.execute(pg.SQL("DROP VIEW IF EXISTS {}").format(public))
        cursor.execute(pg.SQL("DROP TABLE IF EXISTS {}").format(storage))
    for table in view.objects["tables"]:
        if (names.RUNTIME_SCHEMA, table) != view.storage:
            cursor.execute(pg.SQL("DROP TABLE IF EXISTS {}").format(pg.Identifier(names.RUNTIME_SCHEMA, table)))
    for signature in view.objects["functions"]:
        cursor.execute(f"DROP FUNCTION IF EXISTS {signature}")
    cursor.execute("DELETE FROM django_ivm.view WHERE id = %s", (view.id,))
    witness.forget(cursor, view)
    cursor.execute("DELETE FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s", view.full_name)


def drop_definition(cursor: Any, view: InstalledView) -> None:
    for name in (view.definition_view, *(copy for copy, _, _ in view.inlined)):
        cursor.execute(pg.SQL("DROP VIEW IF EXISTS {} CASCADE").format(pg.Identifier(names.RUNTIME_SCHEMA, name)))


_TRIGGERS = """
SELECT t.tgname, n.nspname, c.relname FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace pn ON pn.oid = p.pronamespace
WHERE pn.nspname = 'django_ivm' AND t.tgname = ANY(%s) ORDER BY 2, 3, 1
"""


def drop_triggers(cursor: Any, view: InstalledView) -> None:
    """Found by name and function, since a table may have been renamed. Writers are kept out of all tables first: one
    in flight could wait for a table while we wait for another of its."""
    found = rows(cursor, _TRIGGERS, ([one["name"] for one in view.triggers],))
    logged = rows(cursor, _TRIGGERS, ([one["name"] for one in logs.triggers(cursor, view)],))
    tables = [pg.Identifier(*name) for name in dict.fromkeys((schema, table) for _, schema, table in [*found, *logged])]
    if tables:
        cursor.execute(pg.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(pg.SQL(", ").join(tables)))
    for name, schema, table in found:
        drop = pg.SQL("DROP TRIGGER {} ON {}").format(pg.Identifier(name), pg.Identifier(schema, table))
        cursor.execute(drop)


def installed(connection: Any) -> list[InstalledView]:
    """Installed views, those that others read first; none when our schema isn't there."""
    with connection.cursor() as cursor:
        return register.all_views(cursor)


def detach(view: InstalledView, connection: Any) -> None:
    """Take the triggers and the definition off, and say that the view is stale, so that a migration may change its
    sources; `install` puts it back. A migration that dies half way leaves a view that says it is stale."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if not registered(cursor):
            return
        _take_off(cursor, view, "detached for a migration")


def _take_off(cursor: Any, view: InstalledView, reason: str) -> None:
    drop_triggers(cursor, view)
    logs.release(cursor, view)
    drop_definition(cursor, view)
    cursor.execute("UPDATE django_ivm.view SET detached = true WHERE id = %s", (view.id,))
    register.mark_stale(cursor, view, reason)


def remove_runtime(connection: Any) -> None:
    """Drop our schema when no view is left in it."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if registered(cursor) and not register.all_views(cursor, built=True):
            cursor.execute("DROP SCHEMA django_ivm CASCADE")
