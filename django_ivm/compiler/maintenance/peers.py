"""Which window calls are determined where the order has ties.

Rows that are equal in PARTITION BY and ORDER BY are peers, and PostgreSQL may take them in any order. Some calls don't
depend on it: rank() is the same for all peers, and a RANGE or GROUPS frame holds peers together or not at all. The
rest need an order that ends in a key, or peers that look alike.
"""

from __future__ import annotations

import enum
from typing import Any

from pglast import ast

from ..errors import Unsupported
from ..ir.scalar import Scalar
from ..operators import Window
from ..operators.window import builtin_name

_RANKS = frozenset(["rank", "dense_rank", "percent_rank", "cume_dist"])
_ENDS = frozenset(["first_value", "last_value", "nth_value"])
# Aggregates that add up rows in any order to the same text, by the type of their result.
_NUMBERS = frozenset(["sum", "avg", "variance", "var_samp", "var_pop", "stddev", "stddev_samp", "stddev_pop"])
_ANY_ORDER = frozenset(["count", "bool_and", "bool_or", "every", "bit_and", "bit_or", "bit_xor"])
_EXACT_NUMBERS = frozenset(["int2", "int4", "int8", "numeric"])


class Frame(enum.IntFlag):
    """Bits of WindowDef.frameOptions, as parsenodes.h has them."""

    ROWS = 0x4
    FROM_FIRST = 0x20
    TO_LAST = 0x100
    EXCLUDE = 0x8000 | 0x10000 | 0x20000


def determined_by_row(window: Window) -> bool:
    """Each row's values are settled by the row; False when only the rows as a bag are, since peers look alike and may
    change places. The window's input has no columns that nobody reads.

    Raises Unsupported for a call whose value depends on the order of peers.
    """
    positional, child = [], window.child
    for _, call in window.calls:
        order = order_columns(call)
        fixed = frozenset(window.partition) | order
        if child.identified_by(fixed):
            continue
        alike = frozenset(name for name in fixed if child.column(name).type.exact)
        if not _same_for_peers(call, alike):
            positional.append((call, alike))
    # Peers that look alike may change places, as long as all calls put them in one order.
    orders = {_order_text(call) for call, _ in positional}
    for call, alike in positional:
        if len(orders) > 1 or not alike.issuperset(child.names):
            if window.clause != "OVER":
                shown = window.clause.replace("_", " ")
                message = f"the order of {shown} has ties, so the rows it keeps aren't determined"
                raise Unsupported("ORDER", message, window.clause)
            shown = call.node.funcname[-1].sval
            message = f"the order of {shown}() OVER has ties, so its value isn't determined"
            raise Unsupported("ORDER", message, f"func:{shown}")
    return not positional


def order_columns(call: Scalar) -> frozenset[str]:
    """Plain columns among the items of the call's ORDER BY."""
    nodes = [item.node for item in call.node.over.orderClause or ()]
    return frozenset(node.fields[-1].sval for node in nodes if isinstance(node, ast.ColumnRef))


def _order_text(call: Scalar) -> str:
    return repr(call.node.over.orderClause)


def _same_for_peers(call: Scalar, alike: frozenset[str]) -> bool:
    """The value is the same whichever of two peers stands first; `alike` are columns in which peers look the same."""
    node = call.node
    name = builtin_name(node)
    if name in _RANKS:
        return True
    options = Frame(node.over.frameOptions & 0x3FFFF)
    whole = Frame.FROM_FIRST in options and Frame.TO_LAST in options
    if Frame.ROWS in options and not whole:
        return False
    if name in _ENDS:
        read = {column for argument in node.args for column in _columns(argument)}
        return not options & Frame.EXCLUDE and read <= alike
    base = call.type.base
    if name in _NUMBERS:
        return base in _EXACT_NUMBERS
    if name in ("min", "max"):
        return call.type.exact
    return name in _ANY_ORDER


def _columns(node: Any) -> set[str]:
    if isinstance(node, ast.ColumnRef):
        return {node.fields[-1].sval}
    if isinstance(node, list | tuple):
        return {name for item in node for name in _columns(item)}
    if not isinstance(node, ast.Node):
        return set()
    return {name for field in node for name in _columns(getattr(node, field))}
