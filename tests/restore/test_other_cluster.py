"""Views that are drained later, dumped with changes still to be met, restored where transaction numbers mean something
else: they say that they are stale, the next drain computes them anew, and after that drains are incremental again."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections

import django_ivm
from django_ivm import embedded

from . import shop
from .databases import Database
from .programs import Programs

Empty = Callable[..., Database]

LATER = {
    "sums": shop.VIEWS["sums"],
    "bag": shop.VIEWS["bag"],
    "joined": shop.VIEWS["joined"],
    "total": shop.VIEWS["total"],
}
CHAIN = {"chain": "SELECT n, count(*) AS k FROM views.sums GROUP BY n"}
MORE = f"""
UPDATE {shop.ORDERS} SET amount = amount + 3 WHERE id < 10;
UPDATE app.customer SET region = 'moved' WHERE id IN (2, 6);
INSERT INTO {shop.ORDERS} (customer_id, state, amount) VALUES (2, 'paid', 50), (6, 'sent', 5);
DELETE FROM {shop.ORDERS} WHERE id BETWEEN 20 AND 25;
"""


def burn(database: Database, numbers: int) -> None:
    """Use up transaction numbers."""
    database.run(
        "CREATE TEMP TABLE burnt (i int); DO $$BEGIN FOR i IN 1.."
        f"{numbers} LOOP BEGIN INSERT INTO burnt VALUES (i); EXCEPTION WHEN division_by_zero THEN NULL; END; "
        "END LOOP; END$$"
    )


def number(database: Database) -> int:
    return int(database.run("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0][0])


def later(database: Database, mode: str = "deferred") -> None:
    """The views, with changes that were drained and changes that weren't."""
    database.queries, database.marked = {**LATER, **CHAIN}, {}
    database.run(shop.TABLES + "CREATE SCHEMA views;" + shop.ROWS)
    with connections[database.alias].cursor() as cursor:
        cursor.execute("SET search_path = views")
    for name, query in database.queries.items():
        django_ivm.create_view(name, query, mode=mode, strategy="incremental", using=database.alias)
    database.run(f"UPDATE {shop.ORDERS} SET amount = amount + 1 WHERE id % 2 = 0")
    drain(database)
    database.check()
    database.run(f"DELETE FROM {shop.ORDERS} WHERE id % 7 = 0; UPDATE app.customer SET region = 'later' WHERE id < 4")
    database.close()


def drain(database: Database) -> set[str]:
    """Drain all; the strategies that this took."""
    return {database.view(name).refresh().strategy for name in database.queries}


@pytest.fixture(scope="module")
def elsewhere(unblocked: None) -> Iterator[str]:
    """The alias of another cluster, young in transactions."""
    try:
        server = embedded.start()
    except embedded.EmbeddedError as error:
        pytest.skip(f"no second server: {error}")
    alias = f"ivm_elsewhere_{os.getpid()}"
    with server:
        connections.databases[alias] = {
            **connections["default"].settings_dict, **embedded.django_database(server.url), "NAME": "postgres"
        }  # fmt: skip
        yield alias
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]


@pytest.fixture
def dumped(unblocked: None, programs: Programs, tmp_path: Path) -> Iterator[tuple[Database, Path]]:
    """A database with drained and undrained changes, and its dump."""
    with Database.create(f"ivm_later_{os.getpid()}") as made:
        later(made)
        path = tmp_path / "later.sql"
        programs.run("pg_dump", "-d", made.url, "-f", str(path))
        yield made, path


@contextlib.contextmanager
def restored(programs: Programs, path: Path, server: str, name: str = "ivm_later") -> Iterator[Database]:
    with Database.create(f"{name}_{os.getpid()}_there", server) as made:
        made.queries, made.marked = {**LATER, **CHAIN}, {}
        programs.psql(made.url, file=path)
        yield made


def heals(programs: Programs, database: Database) -> None:
    """Stale at first, computed anew at the next drain, from then on drained by changes alone."""
    assert database.stale() == set(database.queries)
    assert all(database.view(name).status().stale for name in database.queries)
    assert drain(database) == {"full"}
    database.check()
    assert database.stale() == set()
    programs.psql(database.url, command=MORE)
    assert database.stale() == set(database.queries)
    assert drain(database) == {"incremental"}
    database.check()
    assert database.stale() == set()


@pytest.mark.parametrize("written", [False, True], ids=["", "written to before the first drain"])
def test_younger_cluster(programs: Programs, dumped: tuple[Database, Path], elsewhere: str, written: bool) -> None:
    source, path = dumped
    burn(source, 2000)
    with restored(programs, path, elsewhere) as target:
        assert number(target) < number(source)
        if written:
            programs.psql(target.url, command=shop.WRITES)
        heals(programs, target)


def test_younger_cluster_that_overtook(programs: Programs, dumped: tuple[Database, Path], elsewhere: str) -> None:
    """Written to with small numbers; at the first drain the numbers have passed those of the dump."""
    source, path = dumped
    with restored(programs, path, elsewhere) as target:
        programs.psql(target.url, command=shop.WRITES)
        burn(target, max(number(source) - number(target), 0) + 1000)
        assert number(target) > number(source)
        heals(programs, target)


def test_another_database_of_the_cluster(programs: Programs, dumped: tuple[Database, Path]) -> None:
    _, path = dumped
    with restored(programs, path, "default") as target:
        programs.psql(target.url, command=shop.WRITES)
        heals(programs, target)


def test_the_same_database(programs: Programs, dumped: tuple[Database, Path], tmp_path: Path) -> None:
    """Put back over what is there: the numbers are still those of the cursors."""
    source, _ = dumped
    path = tmp_path / "again.sql"
    programs.run("pg_dump", "-d", source.url, "-f", str(path), "--clean", "--if-exists")
    programs.psql(source.url, command=shop.WRITES)
    drain(source)
    programs.psql(source.url, file=path, check=False)
    assert source.stale() == set(source.queries)
    programs.psql(source.url, command=MORE)
    drain(source)
    source.check()
    assert source.stale() == set()
    programs.psql(source.url, command=shop.WRITES)
    assert drain(source) == {"incremental"}
    source.check()


def test_numbers_from_the_future(programs: Programs, dumped: tuple[Database, Path], elsewhere: str) -> None:
    """Were the cluster's name the same (a copy that was set back), the cursor's numbers alone would tell."""
    source, path = dumped
    burn(source, 2000)
    with restored(programs, path, elsewhere) as target:
        target.run(
            "UPDATE django_ivm.cursor SET identity = django_ivm.identity(), snap = '99000000:99000000:'; "
            "UPDATE django_ivm.log SET identity = django_ivm.identity()"
        )
        for (log,) in target.run("SELECT log FROM django_ivm.log"):
            target.run(f"UPDATE django_ivm.{log} SET ivm_xid = '99000000'")
        heals(programs, target)


def test_commit_mode_goes_on(programs: Programs, elsewhere: str, tmp_path: Path) -> None:
    """Nothing waits in its logs, so nothing is stale."""
    with Database.create(f"ivm_commit_{os.getpid()}") as source:
        later(source, "commit")
        assert source.stale() == set()
        path = tmp_path / "commit.sql"
        programs.run("pg_dump", "-d", source.url, "-f", str(path))
    with restored(programs, path, elsewhere) as target:
        target.check()
        programs.psql(target.url, command=shop.WRITES)
        target.check()
        drain(target)
        programs.psql(target.url, command=f"BEGIN;{MORE}COMMIT")
        target.check()
        assert target.stale() == set()


def test_commit_mode_beside_a_restored_log(programs: Programs, elsewhere: str, tmp_path: Path) -> None:
    """Rows that wait in a log for a deferred view may have the number that a transaction gets here: they aren't its."""
    with Database.create(f"ivm_both_{os.getpid()}") as source:
        later(source)
        with connections[source.alias].cursor() as cursor:
            cursor.execute("SET search_path = views")
        django_ivm.create_view("at_once", shop.VIEWS["regions"], mode="commit", using=source.alias)
        source.run(f"UPDATE {shop.ORDERS} SET amount = amount + 5")
        path = tmp_path / "both.sql"
        programs.run("pg_dump", "-d", source.url, "-f", str(path))
    with restored(programs, path, elsewhere) as target:
        target.queries = {"at_once": shop.VIEWS["regions"]}
        logs = [log for (log,) in target.run("SELECT log FROM django_ivm.log")]
        next_ones = "(pg_snapshot_xmax(pg_current_snapshot())::text::bigint + numbered.n)::text::xid8"
        for log in logs:
            target.run(
                f"UPDATE django_ivm.{log} l SET ivm_xid = {next_ones} FROM "
                f"(SELECT ctid, row_number() OVER () AS n FROM django_ivm.{log}) numbered WHERE l.ctid = numbered.ctid"
            )
        all_rows = " UNION ALL ".join(f"SELECT ivm_xid::text::bigint FROM django_ivm.{log}" for log in logs)
        numbers = {n for (n,) in target.run(all_rows)}
        with contextlib.closing(target.connect()) as session:
            met = False
            for i in range(10):
                session.execute("BEGIN")
                (mine,) = session.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,)
                met = met or mine in numbers
                session.execute(f"UPDATE {shop.ORDERS} SET amount = amount + {i} WHERE id = 3")
                session.execute("UPDATE app.customer SET region = %s WHERE id = 3", (f"r{i}",))
                session.execute("COMMIT")
                target.check()
        assert met, "no transaction got a number that a row of the log has"
