"""Outer joins, semi-joins and subqueries: two writers whose rows decide each other's answers."""

from __future__ import annotations

from .scenarios import BAGS, FAMILY, FREE, INSERT, MOVE, REMOVE, RENAME, RENAME_TARGET, Scenario

VIEWS = {
    "outer": "SELECT p.id, p.grp, c.id AS child, c.v FROM parent p LEFT JOIN child c ON c.pid = p.id",
    "full": "SELECT p.id, c.id AS child FROM parent p FULL JOIN child c ON c.pid = p.id",
    "having": "SELECT p.id, p.grp FROM parent p WHERE EXISTS (SELECT FROM child c WHERE c.pid = p.id)",
    "lacking": "SELECT p.id, p.grp FROM parent p WHERE NOT EXISTS (SELECT FROM child c WHERE c.pid = p.id)",
    "unlisted": "SELECT id FROM parent WHERE id NOT IN (SELECT pid FROM child)",
    "marked": "SELECT p.id, p.id IN (SELECT pid FROM child) AS kept FROM parent p",
    "counted": "SELECT p.id, (SELECT count(*) FROM child c WHERE c.pid = p.id) AS n FROM parent p",
    "dependent": "SELECT p.id, (SELECT sum(c.v) FROM child c WHERE c.pid <= p.id AND c.v > p.rate) AS t FROM parent p",
    "above": "SELECT id FROM child WHERE v > (SELECT avg(v) FROM child)",
    "latest": "SELECT p.id, l.v FROM parent p LEFT JOIN LATERAL (SELECT c.v FROM child c WHERE c.pid = p.id "
    "ORDER BY c.v DESC, c.id LIMIT 1) l ON true",
}
BAG_VIEWS = {
    "outer": "SELECT p.grp, c.v FROM parent p LEFT JOIN child c ON c.pid = p.id",
    "lacking": "SELECT p.grp FROM parent p WHERE NOT EXISTS (SELECT FROM child c WHERE c.pid = p.id)",
}
LONELY = "INSERT INTO parent VALUES (4, 'd', 1, ''), (5, NULL, 2, '');"


def _scenarios() -> list[Scenario]:
    first, second = ("INSERT INTO child VALUES (10, 4, 9, '')",), ("INSERT INTO child VALUES (11, 4, 3, '')",)
    pairs: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("two first matches", first, second),
        ("the parent comes, and its first child", ("INSERT INTO parent VALUES (7, 'n', 1, '')",),
         ("INSERT INTO child VALUES (12, 7, 4, '')",)),
        ("the parent goes, a child comes", ("DELETE FROM parent WHERE id = 4",), first),
        ("the last match goes, one comes", ("DELETE FROM child WHERE pid = 2",), ("INSERT INTO child VALUES (13, 2, 1, '')",)),
        ("both last matches go", REMOVE, ("DELETE FROM child WHERE id = 2",)),
        ("a child moves, another comes to where it was", MOVE, INSERT),
        ("a child moves, the target changes", MOVE, RENAME_TARGET),
        ("a parent changes, its last child goes", RENAME, ("DELETE FROM child WHERE pid = 1",)),
        ("a child without a parent comes, a parent comes", ("INSERT INTO child VALUES (14, NULL, 2, '')",),
         ("INSERT INTO parent VALUES (8, 'o', 0, '')",)),
        ("the parent's key moves onto a child that comes", ("UPDATE parent SET id = 9 WHERE id = 4",),
         ("INSERT INTO child VALUES (15, 9, 6, '')",)),
    )  # fmt: skip
    made = []
    for label, one, two in pairs:
        made.append(Scenario(f"match: {label}", FAMILY + LONELY, VIEWS, (one, two), FREE))
        made.append(Scenario(f"match in bags: {label}", FAMILY + LONELY, BAG_VIEWS, (one, two), BAGS))
    return made


MATCHES = tuple(_scenarios())
