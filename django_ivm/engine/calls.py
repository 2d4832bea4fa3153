"""Functions and casts in stored query trees: pg_depend leaves out PostgreSQL's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..compiler.frontend.settings import TEXT_FOLLOWS, is_polymorphic
from ..compiler.pg.catalog import FunctionInfo, TextCast
from .introspect import rows
from .node_tree import Node, read

_FUNCTIONS = """
SELECT p.oid, p.proname, n.nspname, p.prokind, greatest(p.provolatile::text, part.volatility), p.proretset,
       (r.rolsuper OR r.rolname = current_user) AND coalesce(part.trusted, true),
       coalesce((SELECT concat_ws(' ', format_type(nullif(o.oprleft, 0), NULL), o.oprname,
                                  format_type(o.oprright, NULL))
                 FROM pg_operator o WHERE o.oprcode = p.oid AND p.oid = ANY(%s) LIMIT 1), ''),
       oidvectortypes(p.proargtypes)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
-- A user's aggregate says that it is immutable, whatever it is made of.
CROSS JOIN LATERAL (
    SELECT max(f.provolatile::text) AS volatility, bool_and(o.rolsuper OR o.rolname = current_user) AS trusted
    FROM pg_aggregate a
    JOIN pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
    JOIN pg_roles o ON o.oid = f.proowner
    WHERE a.aggfnoid = p.oid AND n.nspname <> 'pg_catalog'
) part
WHERE p.oid = ANY(%s) ORDER BY 2, 3, 9
"""

_OPERATORS = "SELECT oprcode::oid FROM pg_operator WHERE oid = ANY(%s)"

# A user's base type may have casts to json of its own, which to_json() and its like call.
_TYPE = """
SELECT t.typname, format_type(t.oid, NULL), n.nspname, t.typtype, o.provolatile, i.provolatile,
       CASE WHEN t.typcategory = 'A' THEN t.typelem WHEN t.typtype = 'd' THEN t.typbasetype
            ELSE coalesce((SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)), 0) END,
       ARRAY(SELECT a.atttypid FROM pg_attribute a
             WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped)::oid[]::int8[],
       EXISTS (SELECT 1 FROM pg_cast c JOIN pg_proc f ON f.oid = c.castfunc
               WHERE c.castsource = t.oid AND c.casttarget IN ('json'::regtype, 'jsonb'::regtype)
               AND f.provolatile <> 'i')
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_proc o ON o.oid = t.typoutput JOIN pg_proc i ON i.oid = t.typinput
WHERE t.oid = %s
"""
_CALLED = ("funcid", "opfuncid", "aggfnoid", "winfnoid", "startInRangeFunc", "endInRangeFunc")
_RECORD, _UNKNOWN_TYPES = 2249, (705, 2275)  # record; unknown and cstring, which are text as it stands


@dataclass
class _Call:
    """One function, wherever it is called."""

    as_operator: bool = False
    within: str = ""
    arguments: set[int] = field(default_factory=set)


class Types:
    """What the text of types follows."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self._known: dict[int, tuple[Any, ...]] = {}

    def row(self, oid: int) -> tuple[Any, ...]:
        """name, shown, schema, typtype, volatility of output and input, inner type, columns' types, odd JSON."""
        if oid not in self._known:
            self._known[oid] = rows(self.cursor, _TYPE, (oid,))[0]
        return self._known[oid]

    def text(self, oids: Iterable[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(settings that the text of these types follows, types among them whose text follows something else)."""
        settings: dict[str, None] = {}
        opaque: dict[str, None] = {}
        for oid in self._inner(oids, set()):
            if oid in (0, _RECORD):
                opaque["a value of an unknown type"] = None
                continue
            name, shown, schema, kind, output, _input, _inside, _columns, odd = self.row(oid)
            ours = schema == "pg_catalog"
            if ours and name in TEXT_FOLLOWS:
                settings |= dict.fromkeys(TEXT_FOLLOWS[name])
            elif output != "i" or odd or kind == "e":
                opaque[shown] = None
        return tuple(settings), tuple(opaque)

    def _inner(self, oids: Iterable[int], seen: set[int]) -> Iterator[int]:
        """The types of which values of these types consist in the end."""
        for oid in sorted(oids):
            if oid in seen or oid in _UNKNOWN_TYPES:
                continue
            seen.add(oid)
            if oid in (0, _RECORD):
                yield oid
                continue
            inside, columns = self.row(oid)[6:8]
            if inside or columns:
                yield from self._inner([inside] if inside else columns, seen)
            else:
                yield oid


def functions(cursor: Any, trees: list[tuple[str, str]], types: Types) -> tuple[FunctionInfo, ...]:
    """Functions, operators' functions and aggregates of trees, each given with the ordinary view it belongs to."""
    calls: dict[int, _Call] = {}
    for tree, within in trees:
        for node in _walk(tree):
            for oid, as_operator in _called(cursor, node):
                call = calls.setdefault(oid, _Call(within=within))
                call.as_operator |= as_operator
                call.arguments |= set(_argument_types(node))
                call.within = call.within and within
    operators = [oid for oid, call in calls.items() if call.as_operator]
    found = []
    for oid, *values, arguments in rows(cursor, _FUNCTIONS, (operators, list(calls))):
        polymorphic = is_polymorphic(arguments)
        settings, opaque = types.text(calls[oid].arguments) if polymorphic else ((), ())
        found.append(FunctionInfo(*values, arguments, settings, opaque, calls[oid].within))
    return tuple(found)


def _walk(tree: str) -> Iterator[Node]:
    for top in read(tree):
        yield from top.walk()


def _called(cursor: Any, node: Node) -> Iterator[tuple[int, bool]]:
    for name in _CALLED:
        if oid := node.number(name):
            yield oid, name == "opfuncid"
    if (operators := node.fields.get("opnos")) and isinstance(operators[0], list):
        oids = [int(str(item)) for item in operators[0] if str(item).isdigit()]
        for (oid,) in rows(cursor, _OPERATORS, (oids,)):
            yield oid, True


def _argument_types(node: Node) -> Iterator[int]:
    for values in node.fields.get("args", []):
        for item in values if isinstance(values, list) else ():
            argument = item.child("expr") if isinstance(item, Node) and item.tag == "TARGETENTRY" else item
            if isinstance(argument, Node):
                yield from _expression_types(argument)


def _expression_types(node: Node) -> Iterator[int]:
    """The type of an expression; of an anonymous row its members' types."""
    if node.type == _RECORD and node.tag in ("ROWEXPR", "ROW"):
        yield from _argument_types(node)
    else:
        yield node.type


def text_casts(cursor: Any, trees: list[tuple[str, str]], types: Types) -> tuple[TextCast, ...]:
    """Casts through text whose result isn't the same in every session, such as date → text."""
    found: dict[TextCast, None] = {}
    for tree, within in trees:
        for node in _walk(tree):
            if node.tag == "COERCEVIAIO":
                cast = _text_cast(node, types, within)
                if cast.settings != ():
                    found[cast] = None
    return tuple(found)


def _text_cast(node: Node, types: Types, within: str) -> TextCast:
    argument, target = node.child("arg"), node.type
    sources = set(_expression_types(argument)) if argument else {0}
    source = types.row(next(iter(sources)))[1] if len(sources) == 1 and sources.isdisjoint((0, _RECORD)) else ""
    shown = types.row(target)[1]
    settings, opaque = types.text(sources)
    name, reads = types.row(target)[0], types.row(target)[5]
    if name == "interval":
        settings = (*settings, "IntervalStyle")
    elif reads != "i":  # the input of dates knows 'today', that of others reads catalogs
        return TextCast(source, shown, None, within)
    return TextCast(source, shown, None if opaque else settings, within)
