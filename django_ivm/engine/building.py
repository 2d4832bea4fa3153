"""The steps of an online installation (see `online`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from django.db import ProgrammingError, transaction
from psycopg import sql as pg

from ..compiler.pg import names
from ..errors import IVMError
from . import (
    builds,
    convert,
    drain,
    filling,
    install,
    logs,
    pinning,
    publishing,
    register,
    retiring,
    unfinished,
    witness,
)
from .attempts import Attempt, Patience, briefly
from .builds import Build
from .install import Compiled, InstallState, Progress
from .placed import placed
from .register import InstalledView
from .spec import ViewSpec

T = TypeVar("T")
_DRAINED = 0.03  # seconds of a drain after which little enough is pending
CLEARING = 5.0  # seconds to wait for readers whose tables have triggers to drop
_MUCH = 2_000  # changes that are too many to apply while writers wait


@dataclass
class Installer:
    """One online installation, by itself: nobody else is at this view. `session` is a connection to look by."""

    spec: ViewSpec
    connection: Any
    session: Any
    tell: Progress
    patience: Patience
    declared_schema: str | None = None
    _mine: Build | None = None
    _made: dict[str, Compiled] = field(default_factory=dict)  # by mode

    def run(self, trigger: str) -> InstallState:
        """Raises TakenOver when the build is removed meanwhile."""
        try:
            return self._run(trigger)
        except ProgrammingError as error:  # something isn't there any more
            if self._mine is not None and self._build() is None:
                raise builds.TakenOver(self._mine) from error
            raise

    def _run(self, trigger: str) -> InstallState:
        found = install.state(self.spec, self.connection)
        build = self._build()
        if found is InstallState.INSTALLED:
            if build:
                self._discard(build)
            return found
        old = self._old()
        if old is not None and self._convert(old):
            if build:
                self._discard(build)
            return found
        wanted = self._plan(old, build)
        if build is not None and self._continues(build, wanted):
            self.tell(f"{self.spec.name}: going on after an installation that ended {builds.WORDS[build.phase]}")
            with self.connection.cursor() as cursor:
                build = builds.take_over(cursor, build)
        else:
            if build is not None:
                self._discard(build)
                wanted, self._made = self._plan(old, None), {}  # under the settings of now
            build = self._reserve(wanted)
        self._mine = build
        for phase, step in zip(builds.PHASES[1:], (self._capture, self._fill, self._index, self._switch), strict=True):
            if not build.reached(phase):
                step(build, wanted)
        self._publish(build, wanted)
        self._mine = None
        retiring.clear(self.connection, replace(self.patience, limit=min(self.patience.limit, CLEARING)), self.tell)
        install.announce(self.spec, wanted, self.connection.alias, trigger)
        return found

    # What there is

    def _old(self) -> InstalledView | None:
        with self.connection.cursor() as cursor:
            return register.find(cursor, self.spec.name, self.spec.schema)

    def _build(self) -> Build | None:
        with self.connection.cursor() as cursor:
            return builds.find(cursor, self.spec.schema or "", self.spec.name)

    def _built(self, cursor: Any, build: Build) -> InstalledView:
        built = builds.view(cursor, build)
        if built is None:
            raise builds.TakenOver(build)
        return built

    def _plan(self, old: InstalledView | None, build: Build | None) -> Compiled:
        """The view as it will be; raises what `install` would, and where there are readers to be left behind."""
        self.tell(f"{self.spec.name}: analysing")
        spec = self.spec
        with self.connection.cursor() as cursor:
            self._refuse_readers(cursor, old)
            built = builds.view(cursor, build) if build else None
            if built is not None:
                spec = replace(spec, settings=built.spec.settings, settled=built.spec.settled)
        wanted = install.plan(spec, self.connection)
        with self.connection.cursor() as cursor:
            if old is None:
                install.refuse_taken_name(cursor, wanted)
        return replace(wanted, spec=replace(wanted.spec, schema=self.declared_schema))

    def _refuse_readers(self, cursor: Any, old: InstalledView | None) -> None:
        if old is None:
            return
        dependents = [view.name for view in install.dependents_of(cursor, old.full_name)]
        if readers := dependents + publishing.strangers(cursor, old):
            raise IVMError(
                f"{self.spec.name} is read by {', '.join(readers)}, which can't be moved to another definition of it "
                "online",
                code="DEPENDENTS",
                hint="Take those away, install this view and then them online; or install it without online.",
            )

    # A change of mode alone

    def _convert(self, old: InstalledView) -> bool:
        """Exchange the triggers where nothing but the mode is different; whether that was so."""
        with self.connection.cursor() as cursor:
            possible = convert.possible(cursor, old, self.spec)
        after = convert.planned(self.connection, old, self.spec) if possible else None
        if after is None:
            return False

        def exchange(attempt: Attempt) -> None:
            attempt.serialize(register.ADVISORY_LOCK)
            attempt.lock(publishing.tables_to_lock(old) | set(after.installation.sources))
            convert.exchange(attempt.cursor, old, after, gently=True)

        self._briefly("changing its mode", exchange, after, lambda: self._drain(old))
        retiring.clear(self.connection, replace(self.patience, limit=CLEARING), self.tell)
        return True

    # Steps

    def _briefly(
        self, what: str, work: Callable[[Attempt], T], wanted: Compiled, before: Callable[[], None] | None = None
    ) -> T:
        tables = {*wanted.installation.sources, (wanted.schema, self.spec.name)}
        return briefly(self.connection, f"{self.spec.name}: {what}", work, self.patience, self.tell, tables, before)

    def _shadow(self, wanted: Compiled, mode: str = "") -> Compiled:
        """The view as it is built; at first deferred, so that its changes are kept while it is filled."""
        mode = mode or self._first_mode(wanted)
        if mode not in self._made:
            self._made[mode] = self._compiled(wanted, mode)
        return self._made[mode]

    def _compiled(self, wanted: Compiled, mode: str) -> Compiled:
        spec = replace(
            wanted.spec,
            name=builds.built_name(wanted.schema, self.spec.name),
            schema=names.RUNTIME_SCHEMA,
            mode=mode,
            settings=wanted.installation.settings,
            settled=wanted.installation.settled,
            grants=(),
            indexes_sql=(),
        )
        made = install.plan(spec, self.connection)
        if mode == wanted.spec.mode and not publishing.same_tables(made.installation, wanted.installation):
            raise IVMError(
                f"{self.spec.name} would have other tables under another name",
                code="ONLINE",
                hint="Install it without online.",
            )
        return made

    def _first_mode(self, wanted: Compiled) -> str:
        kept = wanted.strategy == "incremental" and wanted.spec.mode in convert.CONVERTIBLE
        return "deferred" if kept else wanted.spec.mode

    def _continues(self, build: Build, wanted: Compiled) -> bool:
        """An unfinished build is of this declaration, was made by this compiler, and has missed nothing."""
        mode = wanted.spec.mode if build.reached("switched") else self._first_mode(wanted)
        made = self._shadow(wanted, mode)
        with self.connection.cursor() as cursor:
            built = builds.view(cursor, build)
            return (
                build.spec_hash == wanted.spec.hash
                and built is not None
                and built.mode == mode
                and built.hash == made.installation.hash
                and built.objects["tables"] == made.installation.objects()["tables"]
                and not (build.reached("filled") and _unsound(cursor, built))
            )

    def _require_sound(self, cursor: Any, built: InstalledView) -> None:
        """Raises IVMError when changes of its sources may have been missed since it was filled."""
        if found := _unsound(cursor, built):
            raise IVMError(
                f"{self.spec.name} can't be published: {'; '.join(found)}",
                code="MISSED",
                hint="Run ivm_install --online again, which begins anew.",
            )

    def _discard(self, build: Build) -> None:
        """Remove an unfinished build, and what captures for it."""
        self.tell(f"{self.spec.name}: removing what an earlier installation left")
        discard(self.connection, build, self.patience, self.tell)

    def _reserve(self, wanted: Compiled) -> Build:
        made = self._shadow(wanted)
        installation = made.installation

        def reserve(attempt: Attempt) -> None:
            cursor = attempt.cursor
            attempt.serialize(register.ADVISORY_LOCK)
            install.refuse_taken_name(cursor, made)
            before = pinning.values(cursor, [name for name, _ in installation.settings])
            for statement in installation.table_statements(empty=True):
                cursor.execute(statement)
            pinning.pin(cursor, before)
            for statement in installation.function_statements():
                cursor.execute(statement)
            register.record(cursor, made.spec, installation, made.parents)
            built = register.find(cursor, made.spec.name, made.schema)
            assert built is not None
            logs.reserve(cursor, built, installation)
            builds.enter(cursor, wanted.schema, self.spec.name, self.spec.label, wanted.spec.hash)

        self._briefly("making its tables", reserve, wanted)
        build = self._build()
        assert build is not None
        return build

    def _capture(self, build: Build, wanted: Compiled) -> None:
        """Each source in a transaction of its own: no more than one is locked at a time."""
        from . import triggers

        installation = self._shadow(wanted).installation
        own = {(store.table_schema, store.table) for store in installation.stores}
        for log in installation.logs:

            def capture_log(attempt: Attempt, log: Any = log) -> None:
                attempt.serialize(register.ADVISORY_LOCK)
                builds.advance(attempt.cursor, build)
                # Also where the log is there: who writes now may not know that the view reads it.
                attempt.lock([(log.schema, log.table)])
                logs.ensure(attempt.cursor, log)

            self._briefly(f"capturing {log.table}", capture_log, wanted)
        for table in dict.fromkeys((t.schema, t.table) for t in installation.triggers):
            if table in own:
                continue

            def capture_table(attempt: Attempt, table: tuple[str, str] = table) -> None:
                attempt.serialize(register.ADVISORY_LOCK)
                builds.advance(attempt.cursor, build)
                attempt.lock([table])
                for one in installation.triggers:
                    if (one.schema, one.table) == table:
                        triggers.install(one, attempt.cursor)

            self._briefly(f"capturing {table[1]}", capture_table, wanted)

        def captured(attempt: Attempt) -> None:
            builds.advance(attempt.cursor, build, "captured")

        self._briefly("captured", captured, wanted)

    def _fill(self, build: Build, wanted: Compiled) -> None:
        """At one snapshot, which the cursor begins at."""
        from . import triggers

        installation = self._shadow(wanted).installation
        own = {(store.table_schema, store.table) for store in installation.stores}
        self.tell(f"{self.spec.name}: filling")
        with transaction.atomic(using=self.connection.alias, durable=True), self.connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                cursor.execute("SELECT set_config(%s, '0', true)", (limit,))
            built = self._built(cursor, build)
            cursor.execute("DELETE FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s", built.full_name)
            cursor.execute(
                "UPDATE django_ivm.cursor SET snap = pg_current_snapshot(), own_xid = pg_current_xact_id(), "
                "own_seq = nextval('django_ivm.seq'), drained_at = clock_timestamp() "
                "WHERE view_schema = %s AND view_name = %s",
                built.full_name,
            )
            before = pinning.values(cursor, [name for name, _ in installation.settings])
            pinning.pin(cursor, installation.settings)
            filling.fill(cursor, installation, self.spec.name, self.session, self.tell)
            pinning.pin(cursor, before)
            for one in installation.triggers:
                if (one.schema, one.table) in own:
                    triggers.install(one, cursor)
            for statement in installation.guard_statements():
                cursor.execute(statement)
            witness.note(cursor, built, witness.look(cursor, built))  # as of the snapshot
            builds.advance(cursor, build, "filled")

    def _index(self, build: Build, wanted: Compiled) -> None:
        """From now on drains are possible."""
        installation = self._shadow(wanted).installation
        store = installation.store
        self.tell(f"{self.spec.name}: indexes")

        def index(attempt: Attempt) -> None:
            cursor = attempt.cursor
            cursor.execute("SELECT set_config('statement_timeout', '0', true)")
            builds.advance(cursor, build, "indexed")
            for statement in installation.index_statements():
                cursor.execute(statement)
            for statement in self.spec.indexes_sql:
                cursor.execute(placed(statement, store.table_schema, store.table))
            for one in installation.stores:
                cursor.execute(pg.SQL("ANALYZE {}").format(pg.Identifier(one.table_schema, one.table)))

        self._briefly("indexes", index, wanted)

    def _drain(self, view: InstalledView) -> None:
        """Until a drain takes so little time that writers may wait for it."""
        if not drain.deferred(view):
            return
        end = time.monotonic() + self.patience.limit
        while True:
            with self.connection.cursor() as cursor:
                stale = register.markers(cursor, view)
            started = time.perf_counter()
            drained = drain.drain(self.connection, view)
            taken = time.perf_counter() - started
            drain.clean(self.connection, view)
            self.tell(f"{self.spec.name}: drained {drained.deltas:,} changes in {taken:.2f} s")
            if taken < _DRAINED and not stale:
                return
            if time.monotonic() > end:
                raise self._outrun()

    def _outrun(self) -> IVMError:
        return IVMError(
            f"{self.spec.name}: its sources are written, or truncated, faster than the changes can be applied",
            code="BUSY",
            hint="Try again at a quieter time: what has been done is kept, and is taken up again.",
        )

    def _switch(self, build: Build, wanted: Compiled) -> None:
        """From deferred to the declared mode, still under the other name."""
        with self.connection.cursor() as cursor:
            built = self._built(cursor, build)
        mode = wanted.spec.mode
        after = None if built.mode == mode else convert.planned(self.connection, built, replace(built.spec, mode=mode))
        if built.mode != mode and after is None:
            raise IVMError(
                f"{self.spec.name} can't go from {built.mode} to {mode}",
                code="ONLINE",
                hint="Install it without online.",
            )

        def switch(attempt: Attempt) -> bool:
            cursor = attempt.cursor
            attempt.serialize(register.ADVISORY_LOCK)
            builds.advance(cursor, build, "switched")
            self._require_sound(cursor, built)
            if after is None:
                return True
            attempt.lock(publishing.tables_to_lock(built) | set(after.installation.sources))
            if register.markers(cursor, built) or drain.pending(cursor, built) > _MUCH:
                transaction.set_rollback(True, using=self.connection.alias)
                return False
            convert.exchange(cursor, built, after, gently=True)
            return True

        # Drained before each attempt: what is left for the moment when writers wait is what came since.
        end = time.monotonic() + self.patience.limit
        while not self._briefly("switching", switch, wanted, lambda: self._drain(built)):
            if time.monotonic() > end:
                raise self._outrun()

    def _publish(self, build: Build, wanted: Compiled) -> None:
        publishing.outlive_snapshots(self.connection, self.spec.name, self.patience, self.tell)
        made = self._shadow(wanted, wanted.spec.mode)

        def publish(attempt: Attempt) -> None:
            cursor = attempt.cursor
            attempt.serialize(register.ADVISORY_LOCK)
            builds.advance(cursor, build)
            built = self._built(cursor, build)
            self._require_sound(cursor, built)
            old = register.find(cursor, self.spec.name, self.spec.schema)
            if old is not None and install.state(self.spec, self.connection) is InstallState.INSTALLED:
                unfinished.remove(cursor, build)  # somebody was faster, without online
                return
            if old is None:
                install.refuse_taken_name(cursor, wanted)
            self._refuse_readers(cursor, old)
            renames = publishing.renaming(cursor, made.installation, wanted.installation)
            # A deferred view's logs don't know its name: nobody needs to be kept out for it.
            written = set() if drain.deferred(built) else publishing.tables_to_lock(built)
            attempt.lock(written | publishing.tables_to_lock(old))
            if old is not None:
                attempt.lock([old.full_name, old.storage], "ACCESS EXCLUSIVE")
            publishing.publish(cursor, built, made, wanted, old, renames)
            builds.forget(cursor, build)

        self._briefly("publishing", publish, wanted)


def _unsound(cursor: Any, built: InstalledView) -> tuple[str, ...]:
    """Why changes of the view's sources may be neither in it nor logged nor marked."""
    found = (*register.faults(cursor, built), *witness.doubts(cursor, built))
    return found if drain.usable(cursor, built) else (*found, "its logs came from another database")


def discard(connection: Any, build: Build, patience: Patience, tell: Progress) -> None:
    """Remove an unfinished build, and what captures for it. Raises IVMError (code BUSY)."""
    with connection.cursor() as cursor:
        built = builds.view(cursor, build)
    locked = publishing.tables_to_lock(built)

    def remove(attempt: Attempt) -> None:
        attempt.serialize(register.ADVISORY_LOCK)
        found = builds.view(attempt.cursor, build)
        if found is not None:
            attempt.lock(publishing.tables_to_lock(found))
            publishing.remove(attempt.cursor, found)
        builds.forget(attempt.cursor, build)

    briefly(connection, f"{build.name}: removing an unfinished build", remove, patience, tell, locked)
    retiring.clear(connection, replace(patience, limit=min(patience.limit, CLEARING)), tell)
