"""A cluster with tables, views and their original queries, and the judge: exact, or said to be stale and healed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections

import django_ivm
from django_ivm.engine import install as installer

from .cluster import Cluster
from .outcome import Outcome
from .workload import FULL, ORDINARY, PARENTS, TABLES, VIEWS, statement

ALIAS = "faults"
AT_ONCE = ("immediate", "commit")  # modes in which a committed write leaves nothing to be done

# Reasons for which a deferred view is computed anew, though its cursor and its logs are as they were.
ANEW = ("TRUNCATE", "unlogged tables", "is cheaper")


def modes() -> tuple[str, ...]:
    """The modes that views can be installed in."""
    found = []
    for mode in ("immediate", "manual", "commit", "deferred"):
        with suppress(django_ivm.DefinitionError):
            installer.validate(installer.ViewSpec(name="v", sql="SELECT 1", mode=mode))
            found.append(mode)
    return tuple(found)


class World:
    """Views over a cluster, reached by Django under the alias `faults`; `queries` has each one's original text."""

    def __init__(self, cluster: Cluster, rng: random.Random) -> None:
        self.cluster, self.rng = cluster, rng
        self.queries: dict[str, str] = {}
        self.kind: dict[str, str] = {}
        self.mode: dict[str, str] = {}
        self.on_error = "raise"
        self._session: psycopg.Connection[Any] | None = None
        reach(cluster.url)
        call_command("migrate", "django_ivm", database=ALIAS, verbosity=0)
        self.run(TABLES)

    def close(self) -> None:
        """Leave Django as it was."""
        self.recover()
        del connections[ALIAS]
        del connections.databases[ALIAS]

    def connect(self) -> psycopg.Connection[Any]:
        return self.cluster.connect()

    def run(self, statements: str) -> list[tuple[Any, ...]]:
        """Statements in a session of their own, committed; rows of the last one."""
        if self._session is None:
            self._session = self.connect()
            self._session.prepare_threshold = None  # views are replaced under it
        cursor = self._session.execute(statements)
        return cursor.fetchall() if cursor.description else []

    def pick(self, kinds: int) -> list[str]:
        """Kinds of views at random, and the kinds that they read, inputs first."""
        drawn = set(self.rng.sample(sorted(VIEWS), kinds))
        drawn |= {PARENTS[kind] for kind in drawn if kind in PARENTS}
        return [kind for kind in VIEWS if kind in drawn]

    def install(self, kinds: list[str], wanted: tuple[str, ...] | None = None) -> None:
        """These kinds of views, in each mode."""
        for mode in wanted or modes():
            for kind in kinds:
                self.view(kind, mode)

    def name(self, kind: str, mode: str) -> str:
        """Its entry in `queries`, which is made, whether or not it is installed."""
        name = f"{kind}_{mode}"
        self.queries[name] = VIEWS[kind].format(mode=mode)
        self.kind[name], self.mode[name] = kind, mode
        return name

    def view(self, kind: str, mode: str, **options: Any) -> django_ivm.View:
        name = self.name(kind, mode)
        strategy = "auto" if kind in FULL else "incremental"
        return django_ivm.create_view(
            name, self.queries[name], mode=mode, strategy=strategy, using=ALIAS, **options | self.lenient()
        )

    def declare(self, name: str, query: str, mode: str) -> None:
        """A view of a fault's own."""
        self.queries[name], self.kind[name], self.mode[name] = query, "", mode
        django_ivm.create_view(name, query, mode=mode, strategy="incremental", using=ALIAS, **self.lenient())

    def lenient(self) -> dict[str, str]:
        """What `create_view` takes for this world's way with errors."""
        return {"on_error": self.on_error} if self.on_error != "raise" else {}

    def get(self, name: str) -> django_ivm.View:
        return django_ivm.get_view(name, using=ALIAS)

    def drop(self, name: str) -> None:
        django_ivm.drop_view(name, using=ALIAS)
        self.forget(name)

    def forget(self, name: str) -> None:
        for known in (self.queries, self.kind, self.mode):
            known.pop(name, None)

    def drop_all(self) -> None:
        for name in reversed(self.queries):
            django_ivm.drop_view(name, using=ALIAS)
        self.queries.clear()

    def recover(self) -> None:
        """After the server died: whatever is looked at is looked at over new connections."""
        connections[ALIAS].close()
        if self._session is not None:
            self._session.close()
            self._session = None

    def different(self, name: str) -> list[tuple[str, str]]:
        """Rows in which a view differs from its original query, both ways."""
        return self.run(
            f"WITH wanted AS (SELECT ivm_row::text AS r FROM ({self.queries[name]}) ivm_row), stored AS (SELECT "
            f"ivm_row::text AS r FROM {self.get(name).table} ivm_row) "
            "(SELECT 'missing', r FROM wanted EXCEPT ALL SELECT 'missing', r FROM stored) UNION ALL "
            "(SELECT 'unexpected', r FROM stored EXCEPT ALL SELECT 'unexpected', r FROM wanted) ORDER BY 1, 2 LIMIT 6"
        )

    def kept(self, name: str) -> bool:
        """Changes are enough to maintain it: neither it nor what it reads is refreshed in full."""
        return self.kind[name] not in FULL and PARENTS.get(self.kind[name]) not in FULL

    def at_once(self, name: str) -> bool:
        """Writes keep it: nothing but a fault of ours could make it say that it is stale."""
        return self.mode[name] in AT_ONCE and self.kept(name) and self.on_error == "raise"

    def cluster_is_up(self) -> None:
        """Started again when it was killed."""
        if self.cluster.dead:
            self.cluster.restart()
        self.cluster.wait()
        self.recover()

    def judge(self) -> Outcome:
        """Each view is exact, or says that it is stale and a refresh makes it exact; and goes on being kept."""
        outcome = Outcome()
        for name in self.queries:  # inputs first: a view is as stale as what it reads
            view = self.get(name)
            if view.is_fresh():
                outcome.exact += 1
                self._look(name, "says that it is fresh", outcome)
                continue
            if self.at_once(name) and not self._truncated(name):
                outcome.wrong.append(f"{name}, which writes keep, says that it is stale: {self._why(name)}")
            result = view.refresh()
            outcome.healed += 1
            drained = self.mode[name] == "deferred" and self.kept(name) and self.on_error == "raise"
            if drained and result.strategy == "full" and not any(word in result.reason for word in ANEW):
                outcome.wrong.append(f"{name} has lost its place in the logs: {result.reason}")
            if not view.is_fresh():
                outcome.wrong.append(f"{name} says that it is stale after a refresh: {self._why(name)}")
            self._look(name, "was refreshed", outcome)
        self._go_on(outcome)
        return outcome

    def leftovers(self) -> list[str]:
        """What nobody needs any more and nobody removed, when all views are drained: rows of logs, pending rows."""
        for _ in range(2):  # the first drains leave their own marks in the cursors
            for name in self.queries:
                if self.mode[name] == "deferred":
                    self.get(name).refresh()
        counts = [
            (table, self.run(f'SELECT count(*) FROM django_ivm."{table}"')[0][0])
            for table in ("pending", *(log for (log,) in self.run("SELECT log FROM django_ivm.log")))
        ]
        return [f"{count} rows are left in {table}" for table, count in counts if count]

    def _go_on(self, outcome: Outcome) -> None:
        """A few more writes, as nothing that was left behind may spoil the next change."""
        with self.connect() as session:
            for _ in range(6):
                one = statement(self.rng)
                try:
                    session.execute(one)
                except psycopg.Error as error:
                    if error.sqlstate not in ORDINARY:
                        outcome.wrong.append(f"afterwards {one} fails: {error}")
        for name in self.queries:
            view = self.get(name)
            if not view.is_fresh():
                if self.at_once(name):
                    outcome.wrong.append(f"{name} became stale by an ordinary write: {self._why(name)}")
                view.refresh()
            self._look(name, "was written to afterwards", outcome)

    def _look(self, name: str, when: str, outcome: Outcome) -> None:
        if found := self.different(name):
            outcome.wrong.append(f"{name} {when} and differs from its query: {found}")

    def _truncated(self, name: str) -> bool:
        """It, or what it reads, is marked for TRUNCATE alone: above READ COMMITTED that may be all that can be said."""
        names = f"('{name}', '{PARENTS.get(self.kind[name], '')}_{self.mode[name]}')"
        marks = self.run(f"SELECT reason ~ '^TRUNCATE ' FROM django_ivm.stale WHERE view_name IN {names}")
        return bool(marks) and all(allowed for (allowed,) in marks)

    def _why(self, name: str) -> list[Any]:
        """What the database has against a view: marks, and whatever else its status tells."""
        marks = self.run(f"SELECT reason, marked_at::text FROM django_ivm.stale WHERE view_name = '{name}' LIMIT 3")
        return [*marks, self.get(name).status()]

    def objects(self) -> list[tuple[Any, ...]]:
        """Everything of ours in the database, and all that hangs on tables."""
        return self.run(
            "SELECT 'relation', oid::regclass::text FROM pg_class WHERE relnamespace IN "
            "(to_regnamespace('django_ivm'), 'public'::regnamespace) AND relkind <> 'S' UNION ALL "
            "SELECT 'function', oid::regprocedure::text FROM pg_proc WHERE pronamespace = to_regnamespace('django_ivm') "
            "UNION ALL SELECT 'trigger', tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal "
            "UNION ALL SELECT 'view', view_name FROM django_ivm.view ORDER BY 1, 2"
        )


def reach(url: str, **extra: Any) -> None:
    """Let Django reach a server that isn't in its settings, or another way."""
    from django_ivm import embedded

    default = connections.databases["default"]
    made = connections.configure_settings({"default": default, ALIAS: embedded.django_database(url, **extra)})
    connections.databases[ALIAS] = made[ALIAS]
    with suppress(AttributeError):
        del connections[ALIAS]  # made anew at its next use


@contextmanager
def a_world(rng: random.Random, **settings: str) -> Iterator[World]:
    """A cluster of its own with the tables of the workload and no view yet."""
    with Cluster(settings) as cluster:
        world = World(cluster, rng)
        try:
            yield world
        finally:
            world.close()
