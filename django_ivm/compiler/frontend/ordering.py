"""What ORDER BY decides: LIMIT and DISTINCT ON. A final ORDER BY alone means nothing to a table.

SQL      ORDER BY at the end, without LIMIT
Kept     at read time: a table has no order
Cost     none
Locks    none
"""

from __future__ import annotations

from typing import Any

from pglast import ast

from ..errors import Unsupported
from ..ir.relation import Relation
from ..ir.scalar import Scalar, column_scalar
from ..operators import Filter, Project, SortKey, TopN, Window
from ..operators.window import row_number
from ..pg import sql as q
from ..pg.catalog import BOOLEAN
from .nodes import constant_integer
from .scope import Names

Order = list[tuple[str, Any]]  # column, SortBy


def sort_keys(order: Order) -> tuple[SortKey, ...]:
    """ORDER BY items as keys; a repeated column decides nothing."""
    keys: dict[str, SortKey] = {}
    for name, item in order:
        if item.useOp:
            raise Unsupported("ORDER", "ORDER BY … USING has no rule yet", "ORDER")
        descending = item.sortby_dir.name == "SORTBY_DESC"
        nulls = item.sortby_nulls.name
        nulls_first = nulls == "SORTBY_NULLS_FIRST" or (nulls == "SORTBY_NULLS_DEFAULT" and descending)
        keys.setdefault(name, SortKey(name, descending, nulls_first))
    return tuple(keys.values())


def limited(node: ast.SelectStmt, relation: Relation, order: Order, outputs: int) -> Relation:
    """The rows that LIMIT and OFFSET keep; `relation` has columns to order by after its `outputs` columns."""
    limit, offset = constant_integer(node.limitCount), constant_integer(node.limitOffset) or 0
    single = frozenset() in relation.unique_sets() and limit != 0
    if not offset and (limit is None or single):
        return first_columns(relation, outputs)
    keys = sort_keys(order)
    for key in keys:
        if not relation.column(key.column).type.deterministic:
            message = f"{key.column} has a collation under which different texts are equal"
            raise Unsupported("ORDER", message, "ORDER")
    return TopN(relation, keys, limit, offset, node.limitOption.name == "LIMIT_OPTION_WITH_TIES")


def distinct_on(names: Names, relation: Relation, by: list[str], order: Order, outputs: int) -> Relation:
    """The first row of each set of rows that agree in `by`."""
    partition = tuple(dict.fromkeys(by))
    keys = tuple(key for key in sort_keys(order) if key.column not in partition)
    number = names.fresh("row_number")
    numbered = Window(relation, partition, ((number, row_number(partition, keys)),), "DISTINCT_ON")
    first = q.sql("{n} = 1", n=q.ident(number)).text
    return first_columns(Filter(numbered, Scalar(first, BOOLEAN)), outputs)


def first_columns(relation: Relation, count: int) -> Relation:
    """Only the first columns."""
    if len(relation.schema) == count:
        return relation
    return Project(
        relation, tuple((c.name, column_scalar(c.name, c.type, c.not_null)) for c in relation.schema[:count])
    )
