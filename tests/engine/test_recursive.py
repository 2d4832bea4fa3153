"""Recursive views after every one of many random statements: trees, graphs with circles, cascades."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction

import django_ivm
from django_ivm import NotIncrementalError
from tests.engine.area import Area

STEPS = int(os.environ.get("RECURSIVE_STEPS", "150"))
IDS = 9
TABLES = """
CREATE TABLE node (id int PRIMARY KEY, parent int, name text, note text);
CREATE TABLE branch (id int PRIMARY KEY, parent int REFERENCES branch ON DELETE CASCADE ON UPDATE CASCADE, name text NOT NULL);
CREATE TABLE leaf (id int PRIMARY KEY, parent int REFERENCES leaf ON DELETE SET NULL, name text);
CREATE TABLE edge (a int, b int, kind text);
CREATE TABLE start (n int, label text);
CREATE INDEX ON node (parent); CREATE INDEX ON branch (parent); CREATE INDEX ON edge (a); CREATE INDEX ON start (n);
"""
GRAPHS = {
    "closure": "WITH RECURSIVE r(f, t) AS (SELECT a, b FROM edge UNION SELECT r.f, e.b FROM r JOIN edge e ON e.a = r.t) "
    "SELECT f, t FROM r",
    "backwards": "WITH RECURSIVE r(f, t) AS (SELECT a, b FROM edge UNION SELECT e.a, r.t FROM edge e, r WHERE e.b = r.f) "
    "SELECT f, count(*) AS n, max(t) AS far FROM r GROUP BY f",
    "reached": "WITH RECURSIVE r AS (SELECT n FROM start UNION SELECT e.b FROM r JOIN edge e ON e.a = r.n WHERE e.kind <> 'x') "
    "SELECT r.n, s.label FROM r LEFT JOIN start s ON s.n = r.n",
    "deep": "WITH RECURSIVE r(n, d) AS (SELECT n, 0 FROM start UNION SELECT e.b, r.d + 1 FROM r JOIN edge e ON e.a = r.n "
    "WHERE r.d < 3) SELECT n, min(d) AS d FROM r GROUP BY n",
    "two_steps": "WITH RECURSIVE r(f, t) AS (SELECT a, b FROM edge UNION SELECT r.f, y.b FROM r JOIN edge x ON x.a = r.t "
    "JOIN edge y ON y.a = x.b AND y.kind = x.kind) SELECT f, t FROM r",
    "two_tables": "WITH RECURSIVE r AS (SELECT n AS v FROM start WHERE label IS NOT NULL UNION SELECT a FROM edge WHERE kind = 'y' "
    "UNION SELECT n.parent FROM r JOIN node n ON n.id = r.v JOIN edge e ON e.a = n.id) SELECT v FROM r",
    "unless": "WITH RECURSIVE r AS (SELECT n FROM start UNION SELECT e.b FROM r JOIN edge e ON e.a = r.n WHERE NOT EXISTS "
    "(SELECT 1 FROM node x WHERE x.id = e.b AND x.name = 'stop')) SELECT n FROM r",
    "only_if": "WITH RECURSIVE r AS (SELECT n FROM start UNION SELECT e.b FROM r JOIN edge e ON e.a = r.n WHERE e.b IN "
    "(SELECT x.id FROM node x WHERE x.parent IS NOT NULL)) SELECT n FROM r",
    "left_join": "WITH RECURSIVE r AS (SELECT n FROM start UNION SELECT coalesce(e.b, 0) FROM r LEFT JOIN edge e ON e.a = r.n) "
    "SELECT n FROM r",
    "over_groups": "WITH RECURSIVE r(n) AS (SELECT s.n FROM start s LEFT JOIN node x ON x.id = s.n WHERE x.id IS NULL UNION "
    "SELECT g.b FROM r JOIN (SELECT a, max(b) AS b, count(*) AS n FROM edge GROUP BY a) g ON g.a = r.n AND g.n > 1) SELECT n FROM r",
    "twice": "WITH RECURSIVE r(f, t) AS (SELECT a, b FROM edge UNION SELECT r.f, e.b FROM r JOIN edge e ON e.a = r.t) "
    "SELECT x.f, y.t FROM r x JOIN r y ON y.f = x.t AND y.f <> x.f",
}
TREES = {
    "tree": "WITH RECURSIVE r AS (SELECT id, parent, name, 0 AS depth FROM node WHERE parent IS NULL UNION ALL "
    "SELECT n.id, n.parent, n.name, r.depth + 1 FROM r JOIN node n ON n.parent = r.id) SELECT id, name, depth FROM r",
    "paths": "WITH RECURSIVE r AS (SELECT id, coalesce(name, '') AS path FROM node WHERE parent IS NULL UNION ALL "
    "SELECT n.id, r.path || '/' || coalesce(n.name, '') FROM node n JOIN r ON n.parent = r.id) SELECT path, id FROM r",
    "arrays": "WITH RECURSIVE r(id, path) AS (SELECT id, ARRAY[id] FROM node UNION SELECT n.id, r.path || n.id "
    "FROM r JOIN node n ON n.parent = r.id WHERE n.id <> ALL (r.path)) SELECT id, path FROM r",
    "bounded": "WITH RECURSIVE r(root, id, d) AS (SELECT id, id, 1 FROM node UNION ALL SELECT r.root, n.id, r.d + 1 "
    "FROM r JOIN node n ON n.parent = r.id WHERE r.d < 4) SELECT root, id, d FROM r",
    "sizes": "WITH RECURSIVE r(root, id) AS (SELECT id, id FROM branch UNION ALL SELECT r.root, n.id FROM r JOIN branch n "
    "ON n.parent = r.id) SELECT root, count(*) AS n FROM r GROUP BY root",
    "cascaded": "WITH RECURSIVE r AS (SELECT id, name FROM branch WHERE parent IS NULL UNION SELECT n.id, r.name || n.name "
    "FROM r JOIN branch n ON n.parent = r.id) SELECT b.id, b.parent, r.name FROM r JOIN branch b ON b.id = r.id",
    "orphans": "WITH RECURSIVE r AS (SELECT id, 0 AS d FROM leaf WHERE parent IS NULL UNION ALL SELECT n.id, r.d + 1 "
    "FROM r JOIN leaf n ON n.parent = r.id) SELECT id, d FROM r",
}


class Writer:
    """Random statements; `acyclic` tables get parents with smaller numbers only."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def number(self) -> str:
        return str(self.rng.randint(1, IDS))

    def maybe(self, share: float = 0.15) -> str:
        return "NULL" if self.rng.random() < share else self.number()

    def word(self, *words: str) -> str:
        word = self.rng.choice([*words, None])
        return f"'{word}'" if word else "NULL"

    def edge(self) -> str:
        return f"({self.maybe(0.05)}, {self.maybe(0.05)}, {self.word('x', 'y', 'y')})"

    def below(self, table: str, number: int) -> str:
        """A parent with a smaller number that exists, or NULL."""
        return f"(SELECT max(id) FROM {table} WHERE id < {self.rng.randint(1, number)})"

    def tree_row(self, table: str) -> str:
        number = self.rng.randint(1, IDS)
        return f"INSERT INTO {table} SELECT {number}, {self.below(table, number)}, {self.rng.choice(['chr(97)', 'chr(98)'])} ON CONFLICT (id) DO NOTHING"

    def statement(self) -> str:
        n, m = self.number, self.maybe
        kinds: list[Callable[[], str]] = [
            lambda: f"INSERT INTO edge VALUES {', '.join(self.edge() for _ in range(self.rng.randint(1, 3)))}",
            lambda: f"DELETE FROM edge WHERE a = {n()} AND b >= {n()}",
            lambda: f"DELETE FROM edge WHERE ctid IN (SELECT ctid FROM edge ORDER BY a, b, kind LIMIT 3 OFFSET {n()})",
            lambda: f"UPDATE edge SET b = {m()} WHERE a = {n()}",
            lambda: f"UPDATE edge SET a = b, b = a WHERE a IN ({n()}, {n()})",
            lambda: f"UPDATE edge SET kind = {self.word('x', 'y')} WHERE b = {n()}",
            lambda: f"UPDATE edge SET a = a % {IDS} + 1, b = b % {IDS} + 1 WHERE a > {n()}",
            lambda: f"INSERT INTO start VALUES ({m()}, {self.word('p', 'q')})",
            lambda: f"DELETE FROM start WHERE n = {n()}",
            lambda: f"UPDATE start SET n = {m()} WHERE n = {n()}",
            lambda: f"INSERT INTO node VALUES ({n()}, {m(0.3)}, {self.word('a', 'stop')}) ON CONFLICT (id) DO UPDATE SET parent = excluded.parent",
            lambda: f"INSERT INTO node SELECT i, nullif(i / 2, 0), 'a' FROM generate_series(1, {n()}) i ON CONFLICT (id) DO NOTHING",
            lambda: f"UPDATE node SET parent = {m()} WHERE id IN ({n()}, {n()})",
            lambda: f"UPDATE node SET id = id + 100 WHERE id = {n()} AND NOT EXISTS (SELECT FROM node WHERE id > 100)",
            lambda: "UPDATE node SET id = id - 100 WHERE id > 100 AND NOT EXISTS (SELECT FROM node x WHERE x.id = node.id - 100)",
            lambda: f"UPDATE node SET name = {self.word('b', 'stop')}, note = 'n' WHERE id > {n()}",
            lambda: f"UPDATE node SET note = 'unread' WHERE id > {n()}",
            lambda: f"DELETE FROM node WHERE id = {n()} OR parent = {n()}",
            lambda: f"WITH gone AS (DELETE FROM edge WHERE a = {n()} RETURNING *), put AS (INSERT INTO start SELECT b, 'p' FROM gone LIMIT 1) "
            f"UPDATE node SET parent = {m()} WHERE id = {n()}",
            lambda: f"WITH gone AS (DELETE FROM edge WHERE b = {n()} RETURNING *) INSERT INTO edge SELECT b, a, kind FROM gone",
            lambda: f"WITH x AS (UPDATE edge SET b = {n()} WHERE a = {n()}) UPDATE edge SET b = {n()} WHERE a = {n()} AND kind = 'x'",
            lambda: f"MERGE INTO node USING (VALUES ({n()}, {m()}::int)) v (id, parent) ON node.id = v.id WHEN MATCHED THEN DELETE "
            "WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.parent, 'm')",
            lambda: self.tree_row("branch"),
            lambda: self.tree_row("branch"),
            lambda: self.tree_row("leaf"),
            lambda: self.tree_row("leaf"),
            lambda: f"DELETE FROM branch WHERE id = {n()}",
            lambda: f"DELETE FROM leaf WHERE id = {n()}",
            lambda: f"UPDATE leaf SET parent = {self.below('leaf', 3)} WHERE id = {self.rng.randint(4, IDS)}",
            lambda: f"UPDATE branch SET id = id + 0.1 * {IDS} + 1 WHERE id = (SELECT max(id) FROM branch) AND id < 30",
            lambda: f"UPDATE branch SET name = 'c' WHERE id = {n()}",
            lambda: f"UPDATE branch SET parent = NULL WHERE id = {n()}",
        ]  # fmt: skip
        return self.rng.choice(kinds)()


@pytest.mark.parametrize("views", [GRAPHS, TREES], ids=["graphs", "trees"])
def test_after_every_statement(area: Area, rng: random.Random, views: dict[str, str]) -> None:
    area.run(TABLES)
    area.run(f"INSERT INTO edge SELECT i, i % {IDS} + 1, 'y' FROM generate_series(1, 4) i")
    for name, query in views.items():
        area.view(name, query)
    area.forbid_recompute()
    writer = Writer(rng)
    for number in range(STEPS):
        statements = [writer.statement() for _ in range(1 if rng.random() < 0.9 else 3)]
        try:
            with transaction.atomic():
                for statement in statements:
                    area.run(statement)
                    area.check()
        except IntegrityError:
            continue
        except AssertionError as wrong:
            raise AssertionError(f"step {number}, after {statement}: {wrong}") from wrong


REPEATS = {
    "every node and its descendants": "SELECT id FROM node UNION ALL SELECT n.id FROM r JOIN node n ON n.parent = r.id",
    "two edges to one place": "SELECT n, 0 AS d FROM start UNION ALL SELECT e.b, r.d + 1 FROM r JOIN edge e ON e.a = r.n WHERE r.d < 3",
    "names instead of numbers": "SELECT id, name, 0 AS d FROM node WHERE parent IS NULL UNION ALL SELECT r.id, n.name, r.d + 1 FROM r "
    "JOIN node n ON n.parent = r.id WHERE r.d < 3",
    "a counter that stands still": "SELECT id, 0 AS d FROM node UNION ALL SELECT n.id, r.d + 0 FROM r JOIN node n ON n.parent = r.id",
    "a counter that starts anywhere": "SELECT id, parent AS d FROM node UNION ALL SELECT n.id, r.d + 1 FROM r "
    "JOIN node n ON n.parent = r.id WHERE r.d < 5",
    "two roots to one": "SELECT id, id AS top FROM node WHERE parent IS NULL UNION ALL SELECT r.id, n.id FROM r JOIN node n "
    "ON n.parent = r.id",
    "roots that the step reaches too": "SELECT id FROM node WHERE parent IS NULL UNION ALL SELECT n.id FROM r JOIN node n "
    "ON n.name = 'x' AND r.id = 1",
    "roots or not": "SELECT id FROM node WHERE parent IS NULL OR name = 'a' UNION ALL SELECT n.id FROM r JOIN node n ON n.parent = r.id",
    "another table's roots": "SELECT id FROM branch WHERE parent IS NULL UNION ALL SELECT n.id FROM r JOIN node n ON n.parent = r.id",
    "a base with repeats": "SELECT a AS id, 0 AS d FROM edge UNION ALL SELECT n.id, r.d + 1 FROM r JOIN node n ON n.parent = r.id WHERE r.d < 3",
    "two joined rows for one": "SELECT id, 0 AS d FROM node WHERE parent IS NULL UNION ALL SELECT n.id, r.d + 1 FROM r "
    "JOIN node n ON n.parent = r.id JOIN edge e ON e.a = n.id",
}
ONCE = {
    "one root": "SELECT id FROM node WHERE id = 3 UNION ALL SELECT n.id FROM r JOIN node n ON n.parent = r.id AND n.id <> 3",
    "roots": "SELECT id FROM node WHERE parent IS NULL AND name <> 'stop' UNION ALL SELECT n.id FROM node n, r WHERE r.id = n.parent",
    "ancestors": "SELECT id, parent, 0 AS up FROM node UNION ALL SELECT r.id, n.parent, r.up - 1 FROM r JOIN node n ON n.id = r.parent "
    "WHERE r.up > -4",
    "joined by key": "SELECT id, 1 AS d FROM node WHERE parent IS NULL UNION ALL SELECT n.id, r.d + 1 FROM r JOIN node n "
    "ON n.parent = r.id JOIN leaf l ON l.id = n.id",
    "numbers": "SELECT 1 AS n UNION ALL SELECT r.n + 1 FROM r JOIN node n ON n.id = r.n",
}


def recursion(rows: str) -> str:
    """The rows of a recursive CTE."""
    return f"WITH RECURSIVE r AS ({rows}) SELECT * FROM r"


@pytest.mark.parametrize("name", REPEATS)
def test_union_all_that_may_repeat_a_row_is_refused(area: Area, name: str) -> None:
    area.run(TABLES)
    with pytest.raises(NotIncrementalError) as raised:
        area.view("v", recursion(REPEATS[name]))
    assert raised.value.code == "RECURSIVE"
    area.queries.clear()


def test_union_all_that_repeats_no_row_is_kept(area: Area, rng: random.Random) -> None:
    area.run(TABLES)
    for number, rows in enumerate(ONCE.values()):
        area.view(f"v{number}", recursion(rows))
    area.forbid_recompute()
    for _ in range(STEPS):
        parent = rng.choice(["NULL", *map(str, range(1, IDS))])
        number = rng.randint(1, IDS)
        area.step(
            rng.choice(
                [
                    f"INSERT INTO node VALUES ({number}, {parent}, 'a'), ({number + 1}, {number}, 'b') ON CONFLICT DO NOTHING",
                    f"INSERT INTO leaf VALUES ({number}) ON CONFLICT DO NOTHING",
                    f"UPDATE node SET parent = {parent} WHERE id BETWEEN {number} AND {number + 1}",
                    f"UPDATE node SET name = 'stop' WHERE id = {number}",
                    f"DELETE FROM node WHERE id = {number}",
                    f"DELETE FROM leaf WHERE id = {number}",
                ]
            )
        )


FORMS = {
    "types": 'WITH RECURSIVE r AS (SELECT id, code::text COLLATE "C" AS code, w, at FROM big WHERE up IS NULL UNION ALL SELECT '
    "b.id, b.code, (r.w + b.w)::numeric(8,2), b.at FROM big b JOIN r ON r.id = b.up) SELECT * FROM r",
    "wider": "WITH RECURSIVE r(n) AS (SELECT 1::bigint UNION SELECT b.up FROM r JOIN big b ON b.id = r.n + 1) SELECT n FROM r",
    "strings": "WITH RECURSIVE r(n) AS (SELECT kind FROM big UNION SELECT x.n FROM (SELECT DISTINCT r.n || 'x' AS n FROM r) x "
    "WHERE length(x.n) < 4) SELECT n FROM r",
    "constants": "WITH RECURSIVE r(a, b) AS (VALUES (1, 'x'), (2, NULL) UNION SELECT b.id::int, r.b FROM r JOIN big b ON b.up = "
    "r.a) SELECT a, b FROM r",
    "one_over_another": "WITH RECURSIVE a AS (SELECT id FROM big WHERE up IS NULL UNION ALL SELECT b.id FROM big b JOIN a ON a.id = "
    "b.up), c(x, y) AS (SELECT id, id FROM a UNION SELECT c.x, a.id FROM c JOIN a ON a.id > c.y) SELECT x, max(y) AS "
    "y FROM c GROUP BY x",
    "one_in_another": "WITH RECURSIVE c AS (SELECT 1 AS n UNION SELECT z.id::int FROM c, (WITH RECURSIVE a AS (SELECT id FROM big WHERE "
    "up IS NULL UNION SELECT b.id FROM big b JOIN a ON a.id = b.up) SELECT id FROM a) z WHERE z.id > c.n) SELECT n "
    "FROM c",
    "in_a_condition": "SELECT kind FROM big WHERE id IN (WITH RECURSIVE a AS (SELECT id FROM big WHERE up IS NULL UNION SELECT b.id "
    "FROM big b JOIN a ON a.id = b.up) SELECT id FROM a)",
    "functions": "WITH RECURSIVE r(n) AS (SELECT id::int FROM big UNION SELECT g FROM r, generate_series(r.n, r.n + 1) g WHERE g < "
    "6) SELECT n FROM r",
    "scalar_subquery": "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT (SELECT max(b.id) FROM big b WHERE b.up = r.n)::int FROM r WHERE "
    "r.n IS NOT NULL) SELECT n FROM r",
    "lateral": "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT x.id::int FROM r CROSS JOIN LATERAL (SELECT b.id FROM big b WHERE "
    "b.up = r.n ORDER BY b.id LIMIT 1) x) SELECT n FROM r",
    "exists": "WITH RECURSIVE r(n) AS (SELECT 1::bigint UNION SELECT n + 1 FROM r WHERE n < 3 AND EXISTS (SELECT 1 FROM big "
    "WHERE big.id = r.n)) SELECT n FROM r",
    "first_of_base": "WITH RECURSIVE r(n) AS ((SELECT id FROM big ORDER BY id LIMIT 1) UNION SELECT b.id FROM r JOIN big b ON b.up = "
    "r.n) SELECT n FROM r",
    "upwards": "WITH RECURSIVE r AS (SELECT id, up FROM big WHERE id = 3 UNION SELECT b.id, b.up FROM big b JOIN r ON b.id = "
    "r.up) SELECT big.code FROM r JOIN big USING (id)",
    "cte_inside": "WITH RECURSIVE r(n) AS (WITH k AS (SELECT id FROM big WHERE kind = 'k') SELECT id FROM k UNION SELECT b.id FROM "
    "r JOIN big b ON b.up = r.n) SELECT n FROM r",
}
BIG = """
CREATE TABLE big (id bigint PRIMARY KEY, up int, code varchar(5) COLLATE "C", w numeric(8, 2), at timestamptz, kind text);
INSERT INTO big VALUES (1, NULL, 'a', 1.50, now(), 'k'), (2, 1, 'b', 2.25, now(), 'k'), (3, 2, 'c', NULL, now(), 'z');
"""
BIG_WRITES = (
    "INSERT INTO big VALUES (4, 3, 'd', 1, now(), 'q'), (5, 1, 'e', 3, now(), 'k')",
    "UPDATE big SET up = 5 WHERE id = 2",
    "DELETE FROM big WHERE id = 5",
    "UPDATE big SET up = NULL WHERE id = 3",
    "UPDATE big SET code = 'zz', kind = 'v' WHERE id < 3",
    "UPDATE big SET id = id + 10 WHERE up IS NULL",
    "DELETE FROM big WHERE id > 10",
    "INSERT INTO big SELECT i, i - 1, 'x', 2, now(), 'k' FROM generate_series(1, 3) i ON CONFLICT DO NOTHING",
    "INSERT INTO big VALUES (0, NULL, 'r', 1, now(), 'k')",
    "TRUNCATE big",
    "INSERT INTO big VALUES (1, NULL, 'r', 1, now(), 'k'), (2, 1, 'r', 1, now(), NULL)",
)


def test_many_forms_of_base_and_step(area: Area) -> None:
    area.run(BIG)
    for name, query in FORMS.items():
        area.view(name, query)
    for write in BIG_WRITES:
        area.step(write)
    for name in FORMS:
        view = django_ivm.get_view(name)
        view.refresh()
        assert view.verify().ok


ROWS = 4_000
FEW = 120  # rows read by a write that concerns a handful
READS = (
    "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int FROM pg_stat_xact_user_tables "
    "WHERE schemaname IN (current_schema(), 'django_ivm') AND relname NOT LIKE '%%_lock'"
)
SMALL = (
    "INSERT INTO node VALUES (900001, 3999, 'new')",
    "UPDATE node SET name = 'other' WHERE id = 3990",
    "UPDATE node SET parent = 17 WHERE id = 3980",
    "DELETE FROM node WHERE id = 3970",
    "INSERT INTO node VALUES (900002, 3000, 'new'), (900003, 900002, 'newer')",
    "WITH x AS (DELETE FROM node WHERE id = 900001) UPDATE node SET parent = 900003 WHERE id = 3960",
    "DELETE FROM node WHERE id = 900002",
    "INSERT INTO edge VALUES (3, 5000, 'y')",
    "UPDATE edge SET b = 5001 WHERE b = 5000",
    "DELETE FROM edge WHERE b = 5001",
)


@pytest.mark.parametrize("name", ["tree", "paths", "closure"])
def test_a_small_write_reads_few_rows(area: Area, name: str) -> None:
    """Hidden levels are looked up by index too."""
    area.run(TABLES)
    area.run("CREATE INDEX ON edge (b)")
    area.run(f"INSERT INTO node SELECT i, nullif(i / 5, 0), 'n' || i FROM generate_series(1, {ROWS}) i")
    area.run("INSERT INTO edge SELECT i, i + 1, 'y' FROM generate_series(1, 2400) i WHERE i % 4 > 0")
    area.view(name, (GRAPHS | TREES)[name])
    area.run("ANALYZE")
    for write in SMALL:
        with transaction.atomic():
            before = area.value(READS)
            area.run(write)
            read = area.value(READS) - before
        assert read < FEW, (write, read)
        area.check()


def test_explain_names_the_index_by_which_a_derivation_is_found_from_its_end(area: Area) -> None:
    """A closure's rows are found by their beginning, which the step hands on."""
    area.run(TABLES)
    wanted = {name: str(area.view(name, GRAPHS[name]).explain()) for name in ("reached", "closure")}
    assert '"edge" ("b")' in wanted["reached"]
    assert '"edge" ("b")' not in wanted["closure"]


def test_a_large_subtree_moves(area: Area) -> None:
    """Thousands of rows that depend on one: each is looked up, nothing is compared with everything."""
    area.run(TABLES)
    area.run(f"INSERT INTO node SELECT i, nullif(i / 5, 0), 'n' FROM generate_series(1, {ROWS}) i")
    area.view("tree", TREES["tree"])
    area.view("paths", TREES["paths"])
    area.run("ANALYZE")
    for write in (
        "UPDATE node SET parent = 2 WHERE id = 1", "UPDATE node SET parent = NULL WHERE id = 1",
        "UPDATE node SET parent = 3 WHERE id = 2", "DELETE FROM node WHERE id = 3",
    ):  # fmt: skip
        with transaction.atomic():
            before = area.value(READS)
            area.run(write)
            read = area.value(READS) - before
        assert read < 60 * ROWS, (write, read)
        area.check()
