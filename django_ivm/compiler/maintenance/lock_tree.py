"""Which buckets a writer of each input of a join locks, where no single key ties all inputs.

A tree of equalities connects the inputs, with the many side at its root. Inputs that are equal in one column of each
are a *class*: a class has buckets of its own, its input nearest to the root shares them, its others take them whole.
Any two inputs must meet in a class, one of them taking it whole, or a row that both their changes are part of is lost:

* an input and one between it and the root: the former takes its own class whole, the latter shares that class,
  whose key it finds by following the tree from the changed row (each class on the way is locked before it is
  followed, and read in the statement after, so that what is followed stays as it is);
* two inputs on different branches: one that hangs on the fork itself goes back to the fork's rows and follows the other
  branch; where both hang further off, they take one bucket whole.

Classes are locked from the root outwards by all, so that single statements don't deadlock. What ties the inputs must
hold of every row of the join: a key that the left side of an outer join shares with the right one doesn't tie two
inputs of the left side to each other, since their rows come without the right side's too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pglast import ast

from ..ir.relation import Kind, Relation
from ..operators import Scan
from ..pg.catalog import Type
from .delta import scans

End = tuple[Scan, str]


@dataclass(frozen=True)
class Hop:
    """From rows of one scan to those of another that are equal: its `near` column, and the other's `far`. `also` are
    other such pairs that rows joined with each other are equal in."""

    near: str
    scan: Scan
    far: str
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Tie:
    """Two columns that a join, `at`, equates."""

    at: Relation
    left: End
    right: End

    @property
    def ends(self) -> frozenset[tuple[int, str]]:
        return frozenset({(self.left[0].leaf, self.left[1]), (self.right[0].leaf, self.right[1])})


@dataclass(frozen=True)
class Member:
    """A class as one input sees it: reached from its rows by hops, with the key as a column of the last scan."""

    number: int
    key: str
    type: Type
    path: tuple[Hop, ...]


@dataclass
class Tree:
    """Classes by number, from the root outwards; each pairs leaf numbers with columns."""

    by_leaf: dict[int, Scan]
    root: int
    classes: list[dict[int, str]] = field(default_factory=list)
    above: dict[int, int] = field(default_factory=dict)  # leaf: the class between it and the root
    upper: list[int] = field(default_factory=list)  # class: its leaf nearest to the root
    ties: tuple[Tie, ...] = ()  # all that hold of every row

    def depth(self, leaf: int) -> int:
        """How many classes lie between the leaf and the root."""
        return 0 if leaf == self.root else 1 + self.depth(self.upper[self.above[leaf]])

    def line(self, leaf: int) -> list[int]:
        """The leaf and those between it and the root, outermost first."""
        return [leaf] if leaf == self.root else [leaf, *self.line(self.upper[self.above[leaf]])]

    def member(self, leaf: int, number: int, path: tuple[Hop, ...] = ()) -> Member:
        """A class as the leaf at the end of a path sees it."""
        key = self.classes[number][leaf]
        return Member(number, key, self.by_leaf[leaf].column(key).type, path)

    def own(self, leaf: int) -> Member | None:
        """The class that the leaf's writers take whole; None for the root."""
        return None if leaf == self.root else self.member(leaf, self.above[leaf])

    def shared(self, leaf: int) -> Iterator[Member]:
        """The classes that the leaf's writers share: all further out, and those of branches that it watches."""
        yield from self._outward(leaf, ())
        others = {self.above[other]: other for other in self.by_leaf if self._watches(leaf, other)}
        yield from (self.member(self.upper[n], n, self._path(leaf, self.upper[n])) for n in sorted(others))

    def distant(self, leaf: int) -> list[int]:
        """Inputs on other branches that neither watches the other of: their writers and the leaf's take one bucket."""
        return [o for o in self.by_leaf if not self._related(leaf, o) and min(self._off(leaf, o)) > 1]

    def _outward(self, leaf: int, path: tuple[Hop, ...]) -> Iterator[Member]:
        for number, upper in enumerate(self.upper):
            if upper == leaf:
                yield self.member(leaf, number, path)
                for other in self.classes[number]:
                    if other != leaf:
                        yield from self._outward(other, (*path, self._hop(number, leaf, other)))

    def _hop(self, number: int, near: int, far: int) -> Hop:
        ends = self.classes[number]
        pairs: dict[tuple[str, str], None] = {}
        for tie in self.ties:
            between = {scan.leaf: name for scan, name in (tie.left, tie.right)}
            if between.keys() == {near, far}:
                pairs[between[near], between[far]] = None
        pairs.pop((ends[near], ends[far]), None)
        return Hop(ends[near], self.by_leaf[far], ends[far], tuple(pairs))

    def _related(self, leaf: int, other: int) -> bool:
        return leaf in self.line(other) or other in self.line(leaf)

    def _off(self, leaf: int, other: int) -> tuple[int, int]:
        """How far each of two leaves hangs off the fork between them, a class or a leaf."""
        mine, its = ([x for x in self.line(a) if x not in self.line(b)] for a, b in ((leaf, other), (other, leaf)))
        return len(mine), len(its)

    def _watches(self, leaf: int, other: int) -> bool:
        """The leaf's writers follow the branch of the other."""
        if leaf == self.root or self._related(leaf, other):
            return False
        mine, its = self._off(leaf, other)
        if self.above[leaf] == self.above[other]:  # both take it whole
            return False
        return mine == 1 and (its > 1 or self.above[leaf] < self.above[other])

    def _path(self, leaf: int, other: int) -> tuple[Hop, ...]:
        """Hops from one leaf, which hangs on the fork, to another."""
        out = [x for x in self.line(other) if x not in self.line(leaf)][::-1]
        hops, at = [], leaf
        first = self.above[leaf]
        if not (out and self.above[out[0]] == first):  # the fork is a leaf: back to it
            out.insert(0, self.upper[first])
        for step in out:
            number = first if at == leaf else self.above[step]
            hops.append(self._hop(number, at, step))
            at = step
        return tuple(hops)


def ties(join: Relation) -> list[Tie]:
    """Pairs of scan columns of one type that a join, or one inside it, equates."""
    found = []
    for node, condition in ((part, c) for part in join.walk() for c in part.conditions_between):
        equation = condition.node
        if not (isinstance(equation, ast.A_Expr) and equation.kind.value == 0 and equation.name[-1].sval == "="):
            continue
        ends = []
        for side in (equation.lexpr, equation.rexpr):
            if isinstance(side, ast.ColumnRef):
                name = side.fields[-1].sval
                ends.append(next((c.origin(name, outer=True) for c in node.children if name in c.names), None))
        if len(ends) == 2 and ends[0] and ends[1]:
            found.append(Tie(node, ends[0], ends[1]))
    return found


def locking_ties(join: Relation) -> list[Tie]:
    """Ties whose equal values have equal buckets."""
    return [tie for tie in ties(join) if _kind(tie.left) == _kind(tie.right) != ""]


def _kind(end: End) -> str:
    type_ = end[0].column(end[1]).type
    if not type_.hashed:
        return ""
    return "integer" if type_.integer else "text" if type_.textual else type_.base


def classes(found: Iterable[Tie]) -> list[list[Tie]]:
    """Ties that share columns, together."""
    groups: list[tuple[set[tuple[int, str]], list[Tie]]] = []
    for tie in found:
        touching = [group for group in groups if group[0] & tie.ends]
        groups = [group for group in groups if not group[0] & tie.ends]
        groups.append((set(tie.ends).union(*(g[0] for g in touching)), [*(t for g in touching for t in g[1]), tie]))
    return [members for _, members in groups]


def spanning(relation: Relation, usable: list[Tie]) -> list[Tie] | None:
    """Ties that connect all scans of a relation; None where rows may stand beside each other untied.

    Each input of a join is connected by itself first: that is what keeps the right side of an outer join, or the
    subquery of an anti-join, from tying rows that also come without it.
    """
    if not relation.children:
        return []
    below = [child for child in relation.children if scans(child)]
    parts = [spanning(child, usable) for child in below]
    if len(below) > 1 and relation.kind is not Kind.BILINEAR:
        return None
    chosen: list[Tie] = []
    for part in parts:
        if part is None:
            return None
        chosen += part
    group = {scan.leaf: i for i, child in enumerate(below) for scan in scans(child)}
    for tie in usable:
        a, b = tie.left[0].leaf, tie.right[0].leaf
        if tie.at is relation and a in group and b in group and group[a] != group[b]:
            chosen.append(tie)
            group = {leaf: group[a] if number == group[b] else number for leaf, number in group.items()}
    return chosen if len(set(group.values())) <= 1 else None


def rooted(chosen: list[Tie], root: Scan, usable: Iterable[Tie] = ()) -> Tree:
    """The tree of the chosen ties among those that are usable, classes numbered from the root outwards."""
    by_leaf = {end[0].leaf: end[0] for tie in chosen for end in (tie.left, tie.right)}
    tree = Tree(by_leaf, root.leaf, ties=tuple(usable))
    rest = [dict(sorted(end for tie in group for end in tie.ends)) for group in classes(chosen)]
    edge = [root.leaf]
    while edge:
        further = []
        for leaf in edge:
            for members in [members for members in rest if leaf in members]:
                rest.remove(members)
                tree.classes.append(members)
                tree.upper.append(leaf)
                outer = [other for other in members if other != leaf]
                tree.above |= {other: len(tree.classes) - 1 for other in outer}
                further += outer
        edge = further
    return tree
