"""Functional dependencies: which columns are settled once others are.

A dependency (A, B) says that rows that agree in A, NULLs counting as equal, agree in B. Source: Armstrong 1974;
PostgreSQL uses the same reasoning where a grouped primary key lets other columns of its table be selected.
"""

from __future__ import annotations

from collections.abc import Iterable

from pglast import ast

from .scalar import Scalar

Dependency = tuple[frozenset[str], frozenset[str]]


def closure(columns: Iterable[str], dependencies: Iterable[Dependency]) -> frozenset[str]:
    """All columns that the given ones settle.

    >>> sorted(closure(["a"], [(frozenset("a"), frozenset("b")), (frozenset("bc"), frozenset("d"))]))
    ['a', 'b']
    """
    found, pending, grown = set(columns), list(dependencies), True
    while grown:
        grown = False
        for dependency in list(pending):
            if dependency[0] <= found:
                pending.remove(dependency)
                grown = grown or not dependency[1] <= found
                found |= dependency[1]
    return frozenset(found)


def reduced(columns: tuple[str, ...], dependencies: Iterable[Dependency]) -> frozenset[str]:
    """The columns without those that the others settle, later ones left out first."""
    kept, known = list(columns), list(dependencies)
    for column in reversed(columns):
        others = [name for name in kept if name != column]
        if column in closure(others, known):
            kept = others
    return frozenset(kept)


def equated(conditions: Iterable[Scalar]) -> list[tuple[str, str]]:
    """Pairs of columns that the conditions say are equal, where equal values look alike in nothing but name."""
    pairs = []
    for condition in conditions:
        node = _or_both_null(condition.node)
        if not (isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval == "="):
            continue
        sides = (node.lexpr, node.rexpr)
        if all(isinstance(side, ast.ColumnRef) for side in sides):
            pairs.append((sides[0].fields[-1].sval, sides[1].fields[-1].sval))
    return pairs


def _or_both_null(node: object) -> object:
    """The equality in `a = b OR (a IS NULL AND b IS NULL)`, which says as much for rows that agree."""
    if isinstance(node, ast.BoolExpr) and node.boolop.name == "OR_EXPR" and len(node.args) == 2:
        equality, nulls = node.args
        if isinstance(nulls, ast.BoolExpr) and nulls.boolop.name == "AND_EXPR" and len(nulls.args) == 2:
            tested = [
                part.arg.fields[-1].sval
                for part in nulls.args
                if isinstance(part, ast.NullTest) and isinstance(part.arg, ast.ColumnRef)
                and part.nulltesttype.name == "IS_NULL"
            ]  # fmt: skip
            sides = [getattr(equality, "lexpr", None), getattr(equality, "rexpr", None)]
            columns = [side.fields[-1].sval for side in sides if isinstance(side, ast.ColumnRef)]
            if len(columns) == 2 and set(tested) == set(columns):
                return equality
    return node


def constants(conditions: Iterable[Scalar]) -> frozenset[str]:
    """Columns that the conditions fix to one value."""
    found = set()
    for condition in conditions:
        node = condition.node
        if not (isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval == "="):
            continue
        for side, other in ((node.lexpr, node.rexpr), (node.rexpr, node.lexpr)):
            if isinstance(side, ast.ColumnRef) and isinstance(other, ast.A_Const) and not other.isnull:
                found.add(side.fields[-1].sval)
    return frozenset(found)


def of_conditions(conditions: Iterable[Scalar]) -> list[Dependency]:
    """Dependencies that hold in rows for which the conditions are true."""
    given = list(conditions)
    found: list[Dependency] = []
    for left, right in equated(given):
        found += [(frozenset([left]), frozenset([right])), (frozenset([right]), frozenset([left]))]
    fixed = constants(given)
    return [*found, (frozenset(), fixed)] if fixed else found
