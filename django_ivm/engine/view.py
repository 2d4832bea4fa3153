"""The handle of an installed view; view models delegate to it too."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils import timezone
from psycopg import sql as pg

from ..errors import DefinitionError, NotInstalledError
from . import drain, register, residual, witness
from . import install as installer
from .families import reads_unwatched
from .introspect import rows
from .refresh import log_exists, refresh
from .register import InstalledView
from .results import Explanation, RefreshResult, VerifyResult, ViewStatus
from .spec import ViewSpec
from .verify import prepare, verify

_COUNT_UP_TO = 64 * 1024 * 1024  # bytes of a table whose rows are counted rather than estimated


class View:
    """One view in one database. Nothing is remembered between calls: the database is asked each time.

    `table` is the quoted, qualified relation to SELECT from; its columns are the query's, in order.
    """

    def __init__(self, name: str, using: str = DEFAULT_DB_ALIAS, schema: str | None = None) -> None:
        self.name = name
        self.using = using
        self._schema = schema

    def __repr__(self) -> str:
        return f"<View {self.name} on {self.using}>"

    @property
    def connection(self) -> Any:
        return connections[self.using]

    @property
    def schema(self) -> str:
        return self._found().schema

    @property
    def table(self) -> str:
        found = self._found()
        return pg.Identifier(found.schema, found.name).as_string(None)

    @property
    def residual_table(self) -> str | None:
        """Of a deferred view whose plan allows it, the quoted and qualified relation that has its rows as a refresh
        would leave them: stored rows with what is pending added, without writing anything. None for other views.

        Views that are marked stale are read by their query there. It needs SELECT on that relation and USAGE on the
        schema django_ivm, which the roles in `grants` have.
        """
        return residual.table_of(self._found())

    def _found(self, using: str | None = None) -> InstalledView:
        with connections[using or self.using].cursor() as cursor:
            view = register.find(cursor, self.name, self._schema)
        if view is None:
            raise NotInstalledError(
                f"the view {self.name!r} is not installed in {using or self.using!r}",
                code="MISSING",
                hint="Run ./manage.py ivm_install, or create_view().",
            )
        return view

    def refresh(
        self, full: bool = False, using: str | None = None, concurrently: bool = True, *, trigger: str = "api"
    ) -> RefreshResult:
        """Bring the view up to date; `full=True` computes it anew. Readers are never blocked.

        Raises RefreshError on failure, which is in the refresh log then.
        """
        view = self._found(using)
        connection = connections[using or self.using]
        if view.detached:
            installer.install(view.spec, connection, trigger=trigger)
            view = self._found(using)
        return refresh(view, connection, full=full, trigger=trigger, sender=type(self))

    def verify(self, using: str | None = None, sample: int | None = None, repair: bool = False) -> VerifyResult:
        """View against query, both ways, at one snapshot; with `sample=N` one of N buckets of keys.

        `repair=True` also mends what differs: by key, row by row, with inner levels and hidden columns, by the same
        difference as a refresh; `repaired` says what it changed. It does so too where nothing differs but writes may
        have gone unseen, for then the view isn't fresh. Triggers that are missing or disabled are `ivm_install`'s to
        mend, and their tables' owner's.
        """
        view, connection = self._found(using), connections[using or self.using]
        result = verify(view, connection, sample)
        if not repair:
            return result
        with connection.cursor() as cursor:
            sound = result.ok and not register.markers(cursor, view) and not witness.doubts(cursor, view)
            if sound:
                witness.adopt(cursor, view)
        if sound:
            return result
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            prepare(cursor, view)
        repaired = self.refresh(full=True, using=using, trigger="repair")
        return changed(result, repaired=repaired)

    def explain(self, using: str | None = None) -> Explanation:
        """How the view is kept, with reasons, plan, script and locks."""
        return explain(self._found(using).spec, connections[using or self.using])

    def is_fresh(self, using: str | None = None) -> bool:
        """The view equals its query now: installed whole, not marked stale, and so is every view that it reads."""
        with connections[using or self.using].cursor() as cursor:
            return _fresh(cursor, self._found(using), {})

    def status(self, using: str | None = None) -> ViewStatus:
        """What the database says of the view."""
        connection = connections[using or self.using]
        with connection.cursor() as cursor:
            view = register.find(cursor, self.name, self._schema)
            if view is None:
                return ViewStatus(False, False, False, "", "")
            faults = register.faults(cursor, view)
            doubts = witness.doubts(cursor, view)
            fresh = _fresh(cursor, view, {})
            pending = drain.pending(cursor, view)
            marks = rows(
                cursor,
                "SELECT marked_at, reason FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s "
                "ORDER BY marked_at LIMIT 1",
                view.full_name,
            )
            oldest, cause = marks[0] if marks else (None, "")
            size = rows(cursor, "SELECT pg_total_relation_size(to_regclass(%s))", (_storage(view),))[0][0]
            count = _count(cursor, view) if size is not None else None
            since = [moment for moment in (oldest, _drained_at(cursor, view) if pending else None) if moment]
        lag = timezone.now() - min(since) if since else timedelta(0)
        return ViewStatus(
            installed=True,
            outdated=view.detached or bool(faults),
            stale=not fresh,
            mode=view.mode,
            strategy=view.strategy,
            pending=pending,
            lag=lag,
            last_refresh=_last_refresh(connection.alias, view),
            rows=count,
            size=size,
            faults=faults,
            doubts=doubts,
            cause=cause,
        )


def _drained_at(cursor: Any, view: InstalledView) -> Any:
    query = "SELECT drained_at FROM django_ivm.cursor WHERE view_schema = %s AND view_name = %s"
    found = rows(cursor, query, view.full_name)
    return found[0][0] if found else None


def _storage(view: InstalledView) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in view.storage)


def _count(cursor: Any, view: InstalledView) -> int:
    """Rows, exactly in a table of moderate size, else as the planner estimates those that are stored."""
    size, estimate = rows(
        cursor, "SELECT pg_relation_size(oid), reltuples FROM pg_class WHERE oid = to_regclass(%s)", (_storage(view),)
    )[0]
    if size > _COUNT_UP_TO and estimate >= 0:
        return int(estimate)
    cursor.execute(pg.SQL("SELECT count(*) FROM {}").format(pg.Identifier(*view.read_from)))
    return int(cursor.fetchone()[0])


def _last_refresh(using: str, view: InstalledView) -> Any:
    from ..models import RefreshLog

    if not log_exists(using, "SELECT"):
        return view.installed_at
    logged = RefreshLog.objects.using(using).filter(view_name=view.name, failed=False)
    return logged.order_by("-updated_at").values_list("updated_at", flat=True).first() or view.installed_at


def _fresh(cursor: Any, view: InstalledView, known: dict[tuple[str, str], bool]) -> bool:
    if view.full_name not in known:
        # Parents first: a parent's refresh marks the view, and mustn't come between a look at it and one at the parent.
        known[view.full_name] = (
            all(_fresh_parent(cursor, name, known) for name in view.parents)
            and not view.detached
            and not register.markers(cursor, view)
            and register.intact(cursor, view)
            and not witness.doubts(cursor, view)
            and drain.usable(cursor, view)
            and not drain.pending(cursor, view)
        )
        if view.strategy == "full" and reads_unwatched(cursor, view.definition_view):
            known[view.full_name] = False
    return known[view.full_name]


def _fresh_parent(cursor: Any, name: tuple[str, str], known: dict[tuple[str, str], bool]) -> bool:
    parent = register.find(cursor, name[1], name[0])
    return parent is not None and _fresh(cursor, parent, known)


def explain(spec: ViewSpec, connection: Any) -> Explanation:
    """How a declaration is, or would be, kept."""
    from .advice import advise

    with connection.cursor() as cursor:
        installed = register.find(cursor, spec.name, spec.schema)
    if installed is not None and installed.spec_hash == spec.hash:
        spec = changed(spec, settled=installed.spec.settled)
    compiled = installer.plan(spec, connection)
    installation = compiled.installation
    stages = {"ast": installation.canonical_sql, "sql": "\n\n".join(compiled.statements())}
    stages |= {name: text for name, text in compiled.trace.steps if name in ("ir", "plan")}
    tree = str(installation.plan) if installation.plan else f"full refresh of\n{installation.canonical_sql}"
    return Explanation(
        strategy=compiled.strategy,
        mode=spec.mode,
        reasons=compiled.reasons,
        tree=tree,
        sql=stages["sql"],
        locks=installation.locks(),
        stages=stages,
        trace=str(compiled.trace),
        settings=installation.settings,
        alike=installation.plan.alike if installation.plan else (),
        undetermined=installation.plan.open if installation.plan else (),
        at_read=installation.read.shown if installation.read else "",
        residual=_residual(installation),
        choices=tuple(map(str, installation.plan.choices)) if installation.plan else (),
        indexes=advise(installation.missing_indexes, compiled.catalog, connection),
        unsecured=compiled.unsecured,
    )


def _residual(installation: Any) -> str:
    """What `Explanation` says of the residual read; nothing where nothing is ever pending."""
    if reason := installation.residual.reason:
        return f"no: {reason}"
    return f"yes, in one SELECT from django_ivm.{installation.residual.name}" if installation.residual.name else ""


def create_view(
    name: str,
    sql: str,
    *,
    mode: str = "immediate",
    strategy: str = "auto",
    using: str = DEFAULT_DB_ALIAS,
    replace: bool = False,
    on_error: str = "raise",
    prefer: str = "auto",
    online: bool = False,
) -> View:
    """Install a view without a model. Works inside a transaction and rolls back with it; `online`, which works outside
    of one only, fills the view without keeping writers of its sources out.

    With `on_error="stale"` a failing maintenance marks the view stale, with the error, and lets the write through.
    Where a value may be kept by a `state` of its own or by `recompute` of what a write touches, estimates decide,
    unless `prefer` says which.

    Raises DefinitionError for a bad query or a name that is taken (unless `replace`), NotIncrementalError when
    strategy is "incremental" and the query can't be kept so.
    """
    connection = connections[using]
    spec = ViewSpec(name=name, sql=sql, mode=mode, strategy=strategy, on_error=on_error, prefer=prefer)
    installer.validate(spec)
    with connection.cursor() as cursor:
        existing = register.find(cursor, name)
    if existing is not None and not replace:
        raise DefinitionError(
            f"the view {name!r} is installed already", code="NAME", hint="Pass replace=True, or drop_view() first."
        )
    if existing is not None and existing.label:
        raise DefinitionError(
            f"{name!r} belongs to the model {existing.label}", code="NAME", hint="Change the model instead."
        )
    installer.install(spec, connection, trigger="api", online=online)
    return View(name, using)


def get_view(name: str, using: str = DEFAULT_DB_ALIAS) -> View:
    """The handle of an installed view. Raises NotInstalledError."""
    view = View(name, using)
    view._found()
    return view


def drop_view(name: str, cascade: bool = False, using: str = DEFAULT_DB_ALIAS) -> None:
    """Uninstall a view with its table. Raises NotInstalledError, or IVMError when others read it."""
    installer.uninstall(name, connections[using], cascade=cascade)
