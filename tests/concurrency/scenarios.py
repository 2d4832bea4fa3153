"""What two or three transactions do at once, and which views must stay exact."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scenario:
    """Transactions (each a tuple of statements) over a schema with rows.

    `errors` are SQLSTATEs allowed in READ COMMITTED (none, as a rule); 40001 is allowed above it. `free` pairs never
    wait for each other. `rows` are put back before each schedule.
    """

    name: str
    rows: str
    views: dict[str, str]
    transactions: tuple[tuple[str, ...], ...]
    schema: str = ""
    errors: tuple[str, ...] = ()
    free: bool = False
    snapshot: str = ""
    retry: bool = True
    tables: tuple[str, ...] = field(default=())


FK = """
CREATE TABLE parent (id int PRIMARY KEY, grp text, rate int, note text);
CREATE TABLE child (id int PRIMARY KEY, pid int REFERENCES parent DEFERRABLE INITIALLY DEFERRED, v int, note text);
CREATE INDEX ON child (pid);
"""
FREE = FK.replace(" REFERENCES parent DEFERRABLE INITIALLY DEFERRED", "")
BAGS = """
CREATE TABLE parent (id int, grp text, rate int, note text); CREATE INDEX ON parent (id);
CREATE TABLE child (id int, pid int, v int, note text); CREATE INDEX ON child (pid);
"""
FAMILY = """
INSERT INTO parent VALUES (1, 'a', 1, ''), (2, 'b', 1, ''), (3, 'a', 2, '');
INSERT INTO child VALUES (1, 1, 5, ''), (2, 1, 5, ''), (3, 2, 7, ''), (4, 3, 5, '');
"""
JOINS = {
    "rows": "SELECT c.id, c.v, p.grp FROM child c JOIN parent p ON p.id = c.pid",
    "bag": "SELECT p.grp, c.v FROM child c JOIN parent p ON p.id = c.pid",
    "grouped": "SELECT p.grp, count(*) AS n, sum(c.v * p.rate) AS t FROM child c JOIN parent p ON p.id = "
    "c.pid "
    "GROUP BY p.grp",
}
BAG_ONLY = {"bag": JOINS["bag"]}
GROUPED_ONLY = {"grouped": JOINS["grouped"]}
INSERT = ("INSERT INTO child VALUES (10, 1, 9, '')",)
MOVE = ("UPDATE child SET pid = 2 WHERE id = 1",)
REMOVE = ("DELETE FROM child WHERE id = 1",)
RENAME = ("UPDATE parent SET grp = 'z', rate = 3 WHERE id = 1",)
RENAME_TARGET = ("UPDATE parent SET grp = 'z' WHERE id = 2",)
DROP_PARENT = ("DELETE FROM parent WHERE id = 1",)


def _joins() -> list[Scenario]:
    made = []
    kinds = (("keyed", FK, JOINS), ("bag", BAGS, BAG_ONLY), ("grouped", FREE, GROUPED_ONLY))
    for kind, schema, views in kinds:
        for label, one, two in (
            ("child insert, parent update", INSERT, RENAME),
            ("child moves, parent update", MOVE, RENAME),
            ("child moves, target's update", MOVE, RENAME_TARGET),
            ("child delete, parent update", REMOVE, RENAME),
        ):
            made.append(Scenario(f"{kind}: {label}", FAMILY, views, (one, two), schema))
    for kind, schema, views in (("keyed", FREE, JOINS), ("bag", BAGS, BAG_ONLY)):
        absent = ("INSERT INTO child VALUES (10, 9, 9, '')",)
        born = ("INSERT INTO parent VALUES (9, 'n', 4, '')",)
        made += [
            Scenario(f"{kind}: child of an absent parent, parent insert", FAMILY, views, (absent, born), schema),
            Scenario(f"{kind}: child insert, parent delete", FAMILY, views, (INSERT, DROP_PARENT), schema),
            Scenario(f"{kind}: two children of one parent", FAMILY, views, (INSERT, REMOVE), schema),
            Scenario(
                f"{kind}: parent changes its key, child moves to it",
                FAMILY, views, (("UPDATE parent SET id = 8 WHERE id = 2",), ("UPDATE child SET pid = 8 "
                    "WHERE id = 1",)), schema,
            ),
            Scenario(
                f"{kind}: unread column of the parent",
                FAMILY, views, (INSERT, ("UPDATE parent SET note = 'x' WHERE id = 1",)), schema, free=True,
            ),
            Scenario(
                f"{kind}: unread column of the child",
                FAMILY, views, (("UPDATE child SET note = 'x' WHERE id = 1",), RENAME), schema, free=True,
            ),
        ]  # fmt: skip
    made.append(
        Scenario(
            "a deferred foreign key: child first, then its parent by another transaction",
            FAMILY, JOINS,
            (("INSERT INTO child VALUES (10, 9, 9, '')",), ("INSERT INTO parent VALUES (9, 'n', 4, '')",)),
            FK, errors=("23503",), retry=False,
        )
    )  # fmt: skip
    made.append(
        Scenario(
            "a deferred foreign key: child insert, parent delete",
            FAMILY + "DELETE FROM child WHERE pid = 1;", JOINS, (INSERT, DROP_PARENT), FK, errors=("23503",
                "40P01"),
            retry=False,
        )
    )  # fmt: skip
    return made


ONE = """
CREATE TABLE sale (id int PRIMARY KEY, g int, v int, f float8, note text); CREATE INDEX ON sale (g, v);
"""
SALES = """
INSERT INTO sale VALUES (1, 1, 5, 0.5, ''), (2, 1, 9, 1e15, ''), (3, 1, 7, 3, ''), (4, 2, 1, 4, ''), (5, 3, 2, 5, ''),
(6, 3, 2, 6, '');
"""
GROUPS = {
    "sums": "SELECT g, count(*) AS n, sum(v) AS s, avg(v) AS a FROM sale GROUP BY g",
    "extremes": "SELECT g, min(v) AS lo, max(v) AS hi FROM sale GROUP BY g",
    "floats": "SELECT g, sum(f) AS f, avg(f) AS a FROM sale GROUP BY g",
    "having": "SELECT g, sum(v) AS s FROM sale GROUP BY g HAVING count(*) > 1",
    "different": "SELECT DISTINCT g, v FROM sale",
    "whole": "SELECT count(*) AS n, sum(v) AS s, min(v) AS lo, max(v) AS hi FROM sale",
    "levels": "SELECT n, count(*) AS groups, max(s) AS top FROM (SELECT g, count(*) AS n, sum(v) AS s FROM "
    "sale GROUP BY g) x "
    "GROUP BY n",
}
TOP = {"top": "SELECT id, v FROM sale ORDER BY v DESC, id LIMIT 3"}


def _groups() -> list[Scenario]:
    pairs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("a group born twice", ("INSERT INTO sale VALUES (10, 9, 1, 1, '')",), ("INSERT INTO sale VALUES "
            "(11, 9, 2, 2, '')",)),
        ("a group dies, a row comes", ("DELETE FROM sale WHERE id = 4",), ("INSERT INTO sale VALUES (11, "
            "2, 2, 2, '')",)),
        ("a group's last two rows go", ("DELETE FROM sale WHERE id = 5",), ("DELETE FROM sale WHERE id = 6",)),
        ("the maximum goes, a greater comes", ("DELETE FROM sale WHERE id = 2",), ("INSERT INTO sale "
            "VALUES (11, 1, 12, 2, '')",)),
        ("the maximum goes, its equal comes", ("DELETE FROM sale WHERE id = 2",), ("INSERT INTO sale "
            "VALUES (11, 1, 9, 2, '')",)),
        ("the maximum goes, a lesser comes", ("DELETE FROM sale WHERE id = 2",), ("INSERT INTO sale VALUES "
            "(11, 1, 8, 2, '')",)),
        ("the two greatest go", ("DELETE FROM sale WHERE id = 2",), ("DELETE FROM sale WHERE id = 3",)),
        ("both extremes change", ("UPDATE sale SET v = 6 WHERE id = 2",), ("UPDATE sale SET v = 6 WHERE id "
            "= 1",)),
        ("rows change groups", ("UPDATE sale SET g = 3 WHERE id = 1",), ("UPDATE sale SET g = 1 WHERE id = 5",)),
        ("groups in two orders", ("UPDATE sale SET v = v + 1 WHERE g = 1 OR g = 3",), ("UPDATE sale SET v "
            "= v - 1 WHERE id IN (4, 6)",)),
        ("everything and one row", ("DELETE FROM sale WHERE v > 1",), ("INSERT INTO sale VALUES (11, 1, "
            "20, 2, '')",)),
        ("truncate and insert", ("TRUNCATE sale",), ("INSERT INTO sale VALUES (11, 1, 20, 2, '')",)),
    )  # fmt: skip
    made = [Scenario(f"groups: {label}", SALES, GROUPS, (one, two), ONE) for label, one, two in pairs]
    # One view at a time as well: what one view locks may hide what another misses.
    for view, wanted in (("extremes", 6), ("floats", 1), ("levels", 1), ("different", 2), ("having", 2), ("whole", 5)):
        for label, one, two in pairs[:wanted]:
            views = {view: GROUPS[view]}
            made.append(Scenario(f"{view} alone: {label}", SALES, views, (one, two), ONE))
    return made


def _tops() -> list[Scenario]:
    pairs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("two inserts at the top", ("INSERT INTO sale VALUES (10, 9, 8, 1, '')",), ("INSERT INTO sale "
            "VALUES (11, 9, 10, 2, '')",)),
        ("a top row goes, one comes beyond", ("DELETE FROM sale WHERE id = 2",), ("INSERT INTO sale VALUES "
            "(11, 1, 4, 1, '')",)),
        ("a top row goes, the next one goes", ("DELETE FROM sale WHERE id = 2",), ("DELETE FROM sale WHERE "
            "id = 5",)),
        ("two top rows go", ("DELETE FROM sale WHERE id = 2",), ("DELETE FROM sale WHERE id = 3",)),
        ("a top row sinks, another rises", ("UPDATE sale SET v = 0 WHERE id = 2",), ("UPDATE sale SET v = "
            "6 WHERE id = 6",)),
        ("two inserts beyond", ("INSERT INTO sale VALUES (10, 9, 0, 1, '')",), ("INSERT INTO sale VALUES "
            "(11, 9, 1, 2, '')",)),
    )  # fmt: skip
    return [Scenario(f"top: {label}", SALES, TOP, (one, two), ONE) for label, one, two in pairs]


VALUES = "CREATE TABLE sale (tag text, g int, v int);"
EQUALS = "INSERT INTO sale VALUES ('a', 1, 5), ('b', 1, 5), ('c', 1, 5), ('d', 2, 6);"
BAG = {"values_": "SELECT g, v FROM sale"}


def _bags() -> list[Scenario]:
    pairs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("two equal rows go", ("DELETE FROM sale WHERE tag = 'a'",), ("DELETE FROM sale WHERE tag = 'b'",)),
        ("one of equal rows goes, one comes", ("DELETE FROM sale WHERE tag = 'a'",), ("INSERT INTO sale "
            "VALUES ('e', 1, 5)",)),
        ("one of equal rows changes, one goes", ("UPDATE sale SET v = 6 WHERE tag = 'a'",), ("DELETE FROM "
            "sale WHERE tag = 'b'",)),
        ("two become equal, their like goes", ("UPDATE sale SET g = 2, v = 6 WHERE tag = 'a'",), (
            "DELETE FROM sale WHERE tag = 'd'",)),
        ("in two orders", ("UPDATE sale SET v = v + 1 WHERE tag IN ('a', 'd')",), ("UPDATE sale SET v = v "
            "- 1 WHERE tag IN ('b', 'c')",)),
    )  # fmt: skip
    return [Scenario(f"bag: {label}", EQUALS, BAG, (one, two), VALUES) for label, one, two in pairs]


CHAIN = """
CREATE TABLE a (id int PRIMARY KEY, x int, note text);
CREATE TABLE b (id int PRIMARY KEY, aid int, y int); CREATE INDEX ON b (aid); CREATE INDEX ON b (y);
CREATE TABLE c (id int PRIMARY KEY, y int, z text); CREATE INDEX ON c (y);
"""
LINKS = """
INSERT INTO a VALUES (1, 1, ''), (2, 2, ''); INSERT INTO b VALUES (1, 1, 1), (2, 1, 2), (3, 2, 2);
INSERT INTO c VALUES (1, 1, 'p'), (2, 2, 'q');
"""
THREE = {"three": "SELECT a.x, b.y, c.z FROM a JOIN b ON b.aid = a.id JOIN c ON c.y = b.y"}
SELF = {
    "pairs": "SELECT l.id AS l, r.id AS r FROM b l JOIN b r ON l.y = r.y AND l.id < r.id",
    "counted": "SELECT l.y, count(*) AS n FROM b l JOIN b r ON l.y = r.y AND l.id < r.id GROUP BY l.y",
}
UNIONS = {
    "all_": "SELECT x FROM a UNION ALL SELECT y FROM b",
    "once": "SELECT x FROM a UNION SELECT y FROM b",
    "totals": "SELECT x, count(*) AS n FROM (SELECT x FROM a UNION ALL SELECT y FROM b) u GROUP BY x",
}


def _wider() -> list[Scenario]:
    new_a, new_b, new_c = (
        ("INSERT INTO a VALUES (9, 9, '')",), ("INSERT INTO b VALUES (9, 9, 9)",), ("INSERT INTO c VALUES "
            "(9, 9, 'n')",),
    )  # fmt: skip
    return [
        Scenario("three tables: both ends come", LINKS + new_b[0] + ";", THREE, (new_a, new_c), CHAIN),
        Scenario("three tables: middle and end come", LINKS, THREE,
                 (("INSERT INTO b VALUES (9, 1, 9)",), new_c), CHAIN),
        Scenario("three tables: both ends change", LINKS, THREE,
                 (("UPDATE a SET x = 5 WHERE id = 1",), ("UPDATE c SET z = 'r' WHERE id = 2",)), CHAIN),
        Scenario("three tables: middle moves, end changes", LINKS, THREE,
                 (("UPDATE b SET aid = 2 WHERE id = 1",), ("UPDATE c SET z = 'r' WHERE id = 1",)), CHAIN),
        Scenario("three tables at once", LINKS, THREE, (new_a, new_b, new_c), CHAIN),
        Scenario("self-join: two partners come", LINKS, SELF, (new_b, ("INSERT INTO b VALUES (8, 1, 9)",)), CHAIN),
        Scenario("self-join: partners come and go", LINKS, SELF, (("INSERT INTO b VALUES (8, 1, 2)",), (
            "DELETE FROM b WHERE id = 2",)), CHAIN),
        Scenario("self-join: partners move to each other", LINKS, SELF,
                 (("UPDATE b SET y = 7 WHERE id = 1",), ("UPDATE b SET y = 7 WHERE id = 2",)), CHAIN),
        Scenario("union: both inputs", LINKS, UNIONS, (("INSERT INTO a VALUES (9, 2, '')",), ("DELETE FROM "
            "b WHERE id IN (2, 3)",)), CHAIN),
        Scenario("union: a value born in both", LINKS, UNIONS, (new_a, ("INSERT INTO b VALUES (9, 9, 9)",)), CHAIN),
        Scenario("two statements: child, then parent, each of its own",
                 FAMILY, JOINS,
                 (("INSERT INTO child VALUES (10, 1, 9, '')", "UPDATE parent SET rate = 5 WHERE id = 1"),
                  ("INSERT INTO child VALUES (11, 2, 9, '')", "UPDATE parent SET rate = 6 WHERE id = 2")), FK,
                 errors=("40P01",)),
        Scenario("two statements: child, then the same parent",
                 FAMILY, JOINS,
                 (("INSERT INTO child VALUES (10, 1, 9, '')", "UPDATE parent SET rate = 5 WHERE id = 1"),
                  ("INSERT INTO child VALUES (11, 1, 9, '')", "UPDATE parent SET rate = 6 WHERE id = 1")), FK,
                 errors=("40P01",)),
        Scenario("in a savepoint: child insert, parent update", FAMILY, BAG_ONLY,
                 (("SAVEPOINT s; INSERT INTO child VALUES (10, 1, 9, ''); RELEASE s",), RENAME), BAGS),
        Scenario("one statement changes both sides, another the parent", FAMILY, JOINS,
                 (("WITH c AS (INSERT INTO child VALUES (10, 1, 9, '')) UPDATE parent SET rate = 7 WHERE "
                   "id = 2",), RENAME), FREE),
    ]  # fmt: skip


PARTS = """
CREATE TABLE part (id int PRIMARY KEY, g int, name text, v int, note text); CREATE INDEX ON part (g);
CREATE TABLE loose (g int, v int);
"""
IN_PARTS = """
INSERT INTO part VALUES (1, 1, 'a', 5, ''), (2, 1, 'b', 6, ''), (3, 2, 'a', 5, ''), (4, NULL, NULL, 1, '');
INSERT INTO loose VALUES (1, 5), (1, 5), (2, 6);
"""
WINDOWS = {
    "ranked": "SELECT id, rank() OVER (PARTITION BY g ORDER BY v) AS r, sum(v) OVER (PARTITION BY g) AS s FROM part",
    "latest": "SELECT DISTINCT ON (name) name, id, v FROM part ORDER BY name, v DESC, id",
    "all_": "SELECT id, sum(v) OVER (ORDER BY id) AS s FROM part",
}
LOOSE = {"shares": "SELECT g, v, sum(v) OVER (PARTITION BY g) AS s FROM loose"}
PARTED = {
    "parted": "SELECT c.id, p.grp, rank() OVER (PARTITION BY p.grp ORDER BY c.v) AS r FROM child c "
    "JOIN parent p ON p.id = c.pid"
}
SETS = {
    "missing": "SELECT g FROM part EXCEPT SELECT g FROM loose",
    "both": "SELECT g FROM part INTERSECT ALL SELECT g FROM loose",
}


def _partitions() -> list[Scenario]:
    into, out = "UPDATE part SET g = 2 WHERE id = 1", "UPDATE part SET g = 1 WHERE id = 3"
    pairs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("two rows come", ("INSERT INTO part VALUES (8, 1, 'a', 9, '')",), ("INSERT INTO part VALUES (9, 1, 'a', 7, '')",)),
        ("a partition is born twice", ("INSERT INTO part VALUES (8, 7, 'n', 9, '')",), ("INSERT INTO part VALUES (9, 7, 'n', 9, '')",)),
        ("a partition without a key", ("INSERT INTO part VALUES (8, NULL, NULL, 9, '')",), ("DELETE FROM part WHERE id = 4",)),
        ("one comes, one goes", ("INSERT INTO part VALUES (8, 1, 'a', 1, '')",), ("DELETE FROM part WHERE id = 1",)),
        ("a row moves in, another changes there", (into,), ("UPDATE part SET v = 9 WHERE id = 3",)),
        ("a row moves out, another changes there", (into,), ("UPDATE part SET v = 0 WHERE id = 2",)),
        ("two rows swap partitions", (into,), (out,)),
        ("two rows leave together", (into,), ("UPDATE part SET g = 2, name = 'a' WHERE id = 2",)),
    )  # fmt: skip
    made = [Scenario(f"window: {label}", IN_PARTS, WINDOWS, (one, two), PARTS) for label, one, two in pairs]
    loose = "INSERT INTO loose VALUES (1, 7)", "DELETE FROM loose WHERE g = 1", "UPDATE loose SET g = 2 WHERE v = 5"
    made += [
        Scenario("window without a key: one comes, all go", IN_PARTS, LOOSE, (loose[:1], loose[1:2]), PARTS),
        Scenario("window without a key: one comes, all move", IN_PARTS, LOOSE, (loose[:1], loose[2:]), PARTS),
        Scenario("window without a key: equal rows come", IN_PARTS, LOOSE, (loose[:1], loose[:1]), PARTS),
        Scenario("window: other partitions", IN_PARTS, {"ranked": WINDOWS["ranked"]},
                 (("UPDATE part SET v = 9 WHERE g = 1",), ("UPDATE part SET v = 9 WHERE g = 2",)), PARTS, free=True),
        Scenario("window: two statements in one order", IN_PARTS, WINDOWS,
                 (("UPDATE part SET v = 9 WHERE id = 1", "UPDATE part SET v = 9 WHERE id = 3"),
                  ("INSERT INTO part VALUES (8, 1, 'a', 9, '')", "INSERT INTO part VALUES (9, 2, 'a', 9, '')")), PARTS),
        Scenario("window over a join: child insert, parent update", FAMILY, PARTED, (INSERT, RENAME), FREE),
        Scenario("window over a join: child moves, target's update", FAMILY, PARTED, (MOVE, RENAME_TARGET), FREE),
        Scenario("window over a join: two children of one parent", FAMILY, PARTED, (INSERT, REMOVE), FREE),
        Scenario("window over a join: children of two parents of a partition", FAMILY, PARTED,
                 (INSERT, ("INSERT INTO child VALUES (11, 3, 4, '')",)), FREE),
        Scenario("set operation: the value comes on both sides", IN_PARTS, SETS,
                 (("INSERT INTO part VALUES (8, 9, 'a', 9, '')",), ("INSERT INTO loose VALUES (9, 1)",)), PARTS),
        Scenario("set operation: the last on one side goes, one comes", IN_PARTS, SETS,
                 (("DELETE FROM loose WHERE g = 2",), ("INSERT INTO part VALUES (8, 2, 'a', 9, '')",)), PARTS),
    ]  # fmt: skip
    return made


SCENARIOS = (*_joins(), *_groups(), *_tops(), *_bags(), *_wider(), *_partitions())
