"""Lock buckets of joins: two writers on different inputs must not both miss the pair of their rows.

A table of ours holds rows (bucket, stripe, version). A writer of the many side ("child") bumps one stripe of the
bucket of its join key, a writer of the other side ("parent") bumps all stripes: the sides exclude each other, rows
of the many side hardly ever. The bump is what makes a snapshot that is too old fail with 40001; share locks and
advisory locks lose rows under REPEATABLE READ. The users' own rows are never locked.
"""

from __future__ import annotations

from dataclasses import dataclass

from pglast import ast

from ..ir.relation import Kind, Relation
from ..operators import Scan
from ..pg import sql as q
from ..pg.catalog import Type
from .delta import scans

BUCKETS = 128
STRIPES = 8


@dataclass(frozen=True)
class Role:
    """What a writer of one scan locks: the buckets of `key` (an output column of the scan; None: bucket 0),
    one stripe of each as child, all as parent."""

    base: int
    key: str | None
    type: Type | None
    parent: bool

    def bucket(self) -> q.Fragment:
        """The bucket of a changed row; NULL for a row that can't join."""
        if self.key is None or self.type is None:
            return q.literal(self.base)
        column = q.ident(self.key)
        if self.type.integer:
            number = q.sql("abs({c}::bigint % {n})", c=column, n=q.literal(BUCKETS))
        else:
            number = q.sql("(hashtextextended({c}::text, 0) & {n})", c=column, n=q.literal(BUCKETS - 1))
        return q.sql("({base} + {number})::integer", base=q.literal(self.base), number=number)


@dataclass(frozen=True)
class LockPlan:
    """Roles by leaf number; `text` is what `explain` shows."""

    roles: dict[int, Role]
    text: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of buckets that exist."""
        return max((role.base for role in self.roles.values()), default=0) + BUCKETS


def plan_locks(relation: Relation) -> LockPlan | None:
    """Locks of all joins in a flat relation; None when there is none."""
    roles: dict[int, Role] = {}
    text: list[str] = []
    base = 0
    for node in _outermost_joins(relation):
        roles |= _join_roles(node, base, text)
        base += BUCKETS
    return LockPlan(roles, tuple(text)) if roles else None


def _outermost_joins(relation: Relation) -> list[Relation]:
    if relation.kind is Kind.BILINEAR:
        return [relation]
    return [join for child in relation.children for join in _outermost_joins(child)]


def _join_roles(join: Relation, base: int, text: list[str]) -> dict[int, Role]:
    leaves = scans(join)
    common = _common_key(join, leaves)
    repeated = {leaf.source for leaf in leaves if sum(o.source == leaf.source for o in leaves) > 1}
    alone = {leaf.leaf for node in join.walk() for side in node.exclusive for leaf in scans(side)}
    hub = _hub(join, tuple(leaf for leaf in leaves if leaf.leaf not in alone and leaf.source not in repeated))
    roles = {}
    for leaf in leaves:
        key = common.get(leaf.leaf) if common else None
        type_ = leaf.column(key).type if key else None
        roles[leaf.leaf] = Role(base, key, type_, hub is None or leaf.leaf != hub.leaf)
    tables = ", ".join(f"{leaf.table_schema}.{leaf.table}" for leaf in leaves)
    sides = "every writer excludes the others"
    if hub:
        sides = f"writers of {hub.table} share it, writers of read columns of the others exclude them"
    if common:
        text.append(f"join of {tables}: {BUCKETS} buckets by the join key; {sides}")
    else:
        text.append(f"join of {tables}: one bucket, since no single join key ties all inputs; {sides}")
    return roles


def _equalities(join: Relation) -> list[tuple[tuple[Scan, str], tuple[Scan, str]]]:
    """Pairs of scan columns that a join, or one inside it, equates, of one type."""
    pairs = []
    for node, condition in ((part, c) for part in join.walk() for c in part.conditions_between):
        equation = condition.node
        if not (isinstance(equation, ast.A_Expr) and equation.kind.value == 0 and equation.name[-1].sval == "="):
            continue
        sides = []
        for part in (equation.lexpr, equation.rexpr):
            if isinstance(part, ast.ColumnRef):
                name = part.fields[-1].sval
                sides.append(next((c.origin(name, outer=True) for c in node.children if name in c.names), None))
        if len(sides) == 2 and sides[0] and sides[1]:
            pairs.append((sides[0], sides[1]))
    return pairs


def _common_key(join: Relation, leaves: tuple[Scan, ...]) -> dict[int, str] | None:
    """For each leaf its column in one class of equal columns that reaches every leaf."""
    classes: list[set[tuple[int, str]]] = []
    by_leaf = {leaf.leaf: leaf for leaf in leaves}
    for (left, a), (right, b) in _equalities(join):
        pair = {(left.leaf, a), (right.leaf, b)}
        touching = [c for c in classes if c & pair]
        classes = [c for c in classes if not c & pair] + [pair.union(*touching)]
    for members in classes:
        chosen = dict(sorted(members))
        types = [by_leaf[leaf].column(name).type for leaf, name in chosen.items()]
        kinds = {"integer" if t.integer else t.base if not t.textual else "text" for t in types}
        if len(chosen) == len(leaves) and all(t.hashed for t in types) and len(kinds) == 1:
            return chosen
    return None


def _hub(join: Relation, leaves: tuple[Scan, ...]) -> Scan | None:
    """The many side, of those whose writers may share: the scan that is never joined on a whole unique key."""
    joined: dict[int, set[str]] = {leaf.leaf: set() for leaf in scans(join)}
    for (left, a), (right, b) in _equalities(join):
        joined[left.leaf].add(left.stored(a))
        joined[right.leaf].add(right.stored(b))
    many = [leaf for leaf in leaves if not any(set(key) <= joined[leaf.leaf] for key in leaf.keys)]
    return next(iter(many or leaves), None)
