"""Lock buckets of joins: two writers on different inputs must not both miss the pair of their rows.

A table of ours holds rows (bucket, stripe, version). A writer of the many side ("child") bumps one stripe of the
bucket of its join key, a writer of the other side ("parent") bumps all stripes: the sides exclude each other, rows
of the many side hardly ever. The bump is what makes a snapshot that is too old fail with 40001; share locks and
advisory locks lose rows under REPEATABLE READ. The users' own rows are never locked. Where the inputs are tied by
more than one key, `lock_tree` says who locks which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..ir.relation import Kind, Relation
from ..operators import Scan
from ..pg import sql as q
from ..pg.catalog import Type
from .delta import scans
from .lock_tree import Hop, Member, Tie, Tree, classes, locking_ties, rooted, spanning, ties

BUCKETS = 128
Fed = Mapping[tuple[str, str], frozenset[tuple[str, str]]]
_LAST = 1_000  # stage of the bucket that inputs share which never meet in a class


@dataclass(frozen=True)
class Role:
    """What a writer of one scan locks: the buckets of `key` (an output column of the scan, or of the last scan of
    `path`; None: bucket 0), one stripe of each as child, all as parent. Lower stages come first."""

    base: int
    key: str | None
    type: Type | None
    parent: bool
    path: tuple[Hop, ...] = ()
    stage: int = 0

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
    """Roles by leaf number; `text` is what `explain` shows, `deadlocks` how transactions can get into one."""

    roles: dict[int, tuple[Role, ...]]
    text: tuple[str, ...]
    deadlocks: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of buckets that exist."""
        return max((role.base for roles in self.roles.values() for role in roles), default=0) + BUCKETS


def plan_locks(relation: Relation, fed: Fed | None = None) -> LockPlan | None:
    """Locks of all joins in a flat relation; None when there is none. `fed` tells which tables reach a level."""
    roles: dict[int, tuple[Role, ...]] = {}
    text: list[str] = []
    deadlocks: list[str] = []
    base = 0
    for join in _outermost_joins(relation):
        found = _Join(join, base, fed or {})
        if not found.needed:
            continue
        roles |= found.roles()
        text.append(found.text())
        deadlocks += found.deadlocks()
        base = LockPlan(roles, ()).size
    return LockPlan(roles, tuple(text), tuple(dict.fromkeys(deadlocks))) if roles else None


def _outermost_joins(relation: Relation) -> list[Relation]:
    if relation.kind is Kind.BILINEAR:
        return [relation]
    return [join for child in relation.children for join in _outermost_joins(child)]


class _Join:
    """One join of a relation, with all inside it."""

    def __init__(self, join: Relation, base: int, fed: Fed) -> None:
        self.join, self.base = join, base
        self.leaves = scans(join)
        self.fed = fed
        # One statement changes both such an input and a level: if it shared first and took whole afterwards, two of
        # them would wait for each other.
        self.feeding = frozenset(name for leaf in self.leaves for name in fed.get(leaf.source, ()))
        self.twins = frozenset(
            a.source for a in self.leaves for b in self.leaves
            if a.source != b.source and fed.get(a.source, frozenset()) & fed.get(b.source, frozenset())
        )  # fmt: skip
        # Inputs whose matches are counted, of which two writers exclude each other, by the join that counts them.
        self.alone = [(leaf.leaf, node) for node in join.walk() for side in node.exclusive for leaf in scans(side)]
        self.usable = locking_ties(join)
        keys = [key for group in classes(self.usable) if (key := self._common(group))]
        self.key = next(iter(sorted(keys, key=self._by_levels, reverse=True)), None)
        self.hub = self._hub(once=self.key is not None)
        self.tree = self._tree() if self.key is None else None
        if self.tree is None:
            self.hub = self._hub(once=True)

    @property
    def needed(self) -> bool:
        """Two writers can miss each other."""
        return len(self.leaves) > 1 or bool(self.alone)

    def _common(self, group: list[Tie]) -> dict[int, str] | None:
        """For each leaf its column among equal columns that reach every leaf."""
        chosen = spanning(self.join, group)
        return dict(sorted(end for tie in chosen for end in tie.ends)) if chosen else None

    def _by_levels(self, key: dict[int, str]) -> bool:
        """Levels are joined by their own key, which the rows that feed them have too: both changes have one bucket."""
        levels = [leaf for leaf in self.leaves if leaf.source in self.fed]
        return all(leaf.keys and leaf.stored(key[leaf.leaf]) in leaf.keys[0] for leaf in levels)

    def _hub(self, *, once: bool) -> Scan | None:
        """The many side, of those whose writers may share: the scan that is never joined on a whole unique key. `once`:
        a table that stands twice takes keys whole anyway."""
        joined: dict[int, set[str]] = {leaf.leaf: set() for leaf in self.leaves}
        for tie in ties(self.join):
            for scan, name in (tie.left, tie.right):
                joined[scan.leaf].add(scan.stored(name))
        alone = {leaf for leaf, _ in self.alone}
        avoided = self.feeding | self.twins if once else self.feeding
        shared = [leaf for leaf in self.leaves if leaf.leaf not in alone and leaf.source not in avoided]
        single = [leaf for leaf in shared if sum(o.source == leaf.source for o in self.leaves) == 1]
        shared = single if once else single or shared
        many = [leaf for leaf in shared if not any(set(key) <= joined[leaf.leaf] for key in leaf.keys)]
        return next(iter(many or shared), None)

    def _tree(self) -> Tree | None:
        if self.hub is None:
            return None
        chosen = spanning(self.join, self.usable)
        if not chosen:
            return None
        tree = rooted(chosen, self.hub, self.usable)
        for leaf, at in self.alone:
            own = tree.own(leaf)
            counted = any(tie.at is at and (leaf, own.key) in tie.ends for tie in chosen) if own else False
            if not counted:  # two first matches would not meet
                return None
        return tree

    def roles(self) -> dict[int, tuple[Role, ...]]:
        if self.tree:
            return {leaf.leaf: self._in_tree(self.tree, leaf.leaf) for leaf in self.leaves}
        found: dict[int, tuple[Role, ...]] = {}
        for leaf in self.leaves:
            key = self.key[leaf.leaf] if self.key else None
            type_ = leaf.column(key).type if key else None
            found[leaf.leaf] = (Role(self.base, key, type_, self.hub is None or leaf.leaf != self.hub.leaf),)
        return found

    def _in_tree(self, tree: Tree, leaf: int) -> tuple[Role, ...]:
        own, shared, depth = tree.own(leaf), list(tree.shared(leaf)), tree.depth(leaf)
        watching = any(self._depth(tree, member) == depth for member in shared)

        def role(member: Member, parent: bool) -> Role:
            at = self._depth(tree, member)
            known = parent or not (member.path or watching)  # from the changed rows: in one statement
            stage = 2 * depth if known else 2 * at + (at == depth)
            return Role(self._place(member.number), member.key, member.type, parent, member.path, stage)

        found = [role(own, True)] if own else []
        found += [role(member, False) for member in shared]
        if tree.distant(leaf):
            found.append(Role(self._place(len(tree.classes)), None, None, True, (), _LAST))
        return tuple(sorted(found, key=lambda r: (r.stage, r.base)))

    @staticmethod
    def _depth(tree: Tree, member: Member) -> int:
        return tree.depth(tree.upper[member.number]) + 1

    def _place(self, number: int) -> int:
        return self.base + number * BUCKETS

    # In words

    def text(self) -> str:
        tables = ", ".join(f"{leaf.table_schema}.{leaf.table}" for leaf in self.leaves)
        sides = "every writer excludes the others"
        if self.hub and len(self.leaves) > 1:
            sides = f"writers of {self.hub.table} share it, writers of read columns of the others exclude them"
        if self.key:
            return f"join of {tables}: {BUCKETS} buckets by the join key; {sides}"
        if self.tree is None:
            return f"join of {tables}: one bucket, since no single join key ties all inputs; {sides}"
        keys = "; ".join(self._class_text(self.tree, n) for n in range(len(self.tree.classes)))
        distant = [leaf.table for leaf in self.leaves if self.tree.distant(leaf.leaf)]
        rest = f"; writers of {', '.join(dict.fromkeys(distant))} exclude each other" if distant else ""
        return f"join of {tables}: {BUCKETS} buckets for each key: {keys}{rest}"

    @staticmethod
    def _class_text(tree: Tree, number: int) -> str:
        scans_ = {leaf: tree.by_leaf[leaf] for leaf in tree.classes[number]}
        equal = " = ".join(
            f"{scans_[leaf].table}.{scans_[leaf].stored(name)}" for leaf, name in tree.classes[number].items()
        )
        whole = ", ".join(dict.fromkeys(scan.table for leaf, scan in scans_.items() if leaf != tree.upper[number]))
        return f"{equal} (whole by writers of read columns of {whole}, shared by those that reach it)"

    def deadlocks(self) -> list[str]:
        """Which transactions can wait for each other in a circle."""
        if self.hub is None:
            tables = ", ".join(dict.fromkeys(leaf.table for leaf in self.leaves))
            return [f"transactions of several statements that write {tables} for the same keys in opposite orders"]
        others = ", ".join(dict.fromkeys(leaf.table for leaf in self.leaves if leaf.leaf != self.hub.leaf))
        return [
            f"transactions that each write {self.hub.table} and then read columns of {others} that go with the other's"
        ]
