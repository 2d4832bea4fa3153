"""Recursive views under every order of two transactions: each may complete a path that the other began."""

from __future__ import annotations

import pytest

from tests.engine.area import Area

from . import test_interleavings
from .scenarios import Scenario

GRAPH = """
CREATE TABLE edge (a int, b int, note text); CREATE INDEX ON edge (a); CREATE INDEX ON edge (b);
CREATE TABLE node (id int PRIMARY KEY, parent int, name text); CREATE INDEX ON node (parent);
"""
ROWS = """
INSERT INTO edge VALUES (1, 2, ''), (2, 3, ''), (3, 1, ''), (4, 5, ''), (5, 6, '');
INSERT INTO node VALUES (1, NULL, 'r'), (2, 1, 'a'), (3, 2, 'b'), (4, 2, 'c'), (5, 1, 'd');
"""
VIEWS = {
    "closure": "WITH RECURSIVE r(f, t) AS (SELECT a, b FROM edge UNION SELECT r.f, e.b FROM r JOIN edge e ON e.a = r.t) "
    "SELECT f, t FROM r",
    "sizes": "WITH RECURSIVE r(f, t) AS (SELECT a, b FROM edge UNION SELECT r.f, e.b FROM r JOIN edge e ON e.a = r.t) "
    "SELECT f, count(*) AS n FROM r GROUP BY f",
    "tree": "WITH RECURSIVE r AS (SELECT id, name AS path, 0 AS d FROM node WHERE parent IS NULL UNION ALL "
    "SELECT n.id, r.path || n.name, r.d + 1 FROM r JOIN node n ON n.parent = r.id) SELECT id, path, d FROM r",
    "both": "WITH RECURSIVE r AS (SELECT id FROM node WHERE parent IS NULL UNION SELECT coalesce(e.b, n.id) FROM r "
    "JOIN node n ON n.parent = r.id LEFT JOIN edge e ON e.a = n.id) SELECT r.id, n.name FROM r LEFT JOIN node n ON n.id = r.id",
}
PAIRS = (
    ("two links of one path come", "INSERT INTO edge VALUES (6, 7, '')", "INSERT INTO edge VALUES (7, 8, '')"),
    ("two graphs are joined from both ends", "INSERT INTO edge VALUES (3, 4, '')", "INSERT INTO edge VALUES (6, 1, '')"),
    ("a circle is cut twice", "DELETE FROM edge WHERE a = 1", "DELETE FROM edge WHERE a = 2"),
    ("a circle is cut, a way round comes", "DELETE FROM edge WHERE a = 2", "INSERT INTO edge VALUES (2, 9, ''), (9, 3, '')"),
    ("a link goes, the next is moved", "DELETE FROM edge WHERE a = 4", "UPDATE edge SET a = 4 WHERE a = 5"),
    ("a parent moves, its child moves", "UPDATE node SET parent = 5 WHERE id = 2", "UPDATE node SET parent = 5 WHERE id = 3"),
    ("two branches move below each other", "UPDATE node SET parent = 5 WHERE id = 2", "UPDATE node SET parent = 3 WHERE id = 5"),
    ("the root goes, a leaf comes", "DELETE FROM node WHERE id = 1", "INSERT INTO node VALUES (6, 3, 'e')"),
    ("an edge and a node of one step", "INSERT INTO edge VALUES (5, 2, '')", "INSERT INTO node VALUES (6, 5, 'e')"),
)  # fmt: skip
SCENARIOS = [Scenario(label, ROWS, VIEWS, ((one,), (two,)), GRAPH) for label, one, two in PAIRS]
SCENARIOS += [
    Scenario(f"alone: {p[0]}", ROWS, {"closure": VIEWS["closure"]}, ((p[1],), (p[2],)), GRAPH) for p in PAIRS[:3]
]
SCENARIOS.append(
    Scenario("an unread column", ROWS, {"closure": VIEWS["closure"]}, (("INSERT INTO edge VALUES (6, 7, '')",),
             ("UPDATE edge SET note = 'n' WHERE a = 1",)), GRAPH, free=True)
)  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_every_order(area: Area, scenario: Scenario, record_property: object) -> None:
    test_interleavings.test_every_order(area, scenario, record_property)
