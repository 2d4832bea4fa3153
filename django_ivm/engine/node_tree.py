"""PostgreSQL's own query trees, as `pg_rewrite.ev_action` prints them, read into nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# A backslash takes the special meaning from the character after it.
_TOKEN = re.compile(r"[{}()]|(?:\\.|[^\s{}()\\])+", re.DOTALL)
_OWN_TYPE = {
    "VAR": "vartype", "CONST": "consttype", "PARAM": "paramtype", "FUNCEXPR": "funcresulttype",
    "OPEXPR": "opresulttype", "DISTINCTEXPR": "opresulttype", "NULLIFEXPR": "opresulttype", "AGGREF": "aggtype",
    "WINDOWFUNC": "wintype", "CASEEXPR": "casetype", "CASE": "casetype", "COALESCEEXPR": "coalescetype",
    "COALESCE": "coalescetype", "MINMAXEXPR": "minmaxtype", "MINMAX": "minmaxtype", "RELABELTYPE": "resulttype",
    "COERCEVIAIO": "resulttype", "ARRAYCOERCEEXPR": "resulttype", "COERCETODOMAIN": "resulttype",
    "FIELDSELECT": "resulttype", "FIELDSTORE": "resulttype", "CONVERTROWTYPEEXPR": "resulttype",
    "SUBSCRIPTINGREF": "refrestype", "ARRAYEXPR": "array_typeid", "ARRAY": "array_typeid", "ROWEXPR": "row_typeid",
    "ROW": "row_typeid", "CASETESTEXPR": "typeId", "COLLATEEXPR": "", "SQLVALUEFUNCTION": "type",
}  # fmt: skip
_BOOLEAN = frozenset(["BOOLEXPR", "NULLTEST", "BOOLEANTEST", "SCALARARRAYOPEXPR", "ROWCOMPAREEXPR", "ROWCOMPARE"])
_BOOLEAN_OID = 16
_VALUE_SUBLINKS = (4, 6)  # EXPR_SUBLINK, ARRAY_SUBLINK: of the others the value is a boolean


@dataclass
class Node:
    """A node: its tag and, for each field, the values that stand after the field's name."""

    tag: str
    fields: dict[str, list[object]] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """The first value of a field as an oid; 0 when there is none."""
        found = self.fields.get(name)
        return int(found[0]) if found and isinstance(found[0], str) and found[0].isdigit() else 0

    def child(self, name: str) -> Node | None:
        """The node that a field holds."""
        found = self.fields.get(name)
        return found[0] if found and isinstance(found[0], Node) else None

    @property
    def type(self) -> int:
        """Oid of an expression's type, of an ARRAY(SELECT …) its elements'; 0 when it isn't known."""
        if self.tag in _BOOLEAN:
            return _BOOLEAN_OID
        if self.tag == "COLLATEEXPR":
            inner = self.child("arg")
            return inner.type if inner else 0
        if self.tag == "SUBLINK":
            query = self.child("subselect")
            if query is None or self.number("subLinkType") not in _VALUE_SUBLINKS:
                return _BOOLEAN_OID
            first = next((n for n in _nodes(query.fields.get("targetList", [])) if n.tag == "TARGETENTRY"), None)
            shown = first.child("expr") if first else None
            return shown.type if shown else 0
        return self.number(_OWN_TYPE.get(self.tag, ""))

    def walk(self) -> Iterator[Node]:
        """This node and every node below."""
        yield self
        for values in self.fields.values():
            yield from _nodes(values)


def _nodes(values: list[object]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield from value.walk()
        elif isinstance(value, list):
            yield from _nodes(value)


def read(text: str) -> list[Node]:
    """The nodes of a tree's text."""
    top: list[object] = []
    stack: list[tuple[list[object], Node | None]] = []
    values, node, expecting = top, None, False
    for word in _TOKEN.findall(text):
        if word == "{":
            made = Node("")
            values.append(made)
            stack.append((values, node))
            values, node = [], made
        elif word == "(":
            inner: list[object] = []
            values.append(inner)
            stack.append((values, node))
            values, node = inner, None
        elif word in ")}":
            values, node = stack.pop()
        elif node is not None and not node.tag:
            node.tag = word
        elif node is not None and word.startswith(":") and not expecting:
            values = node.fields.setdefault(word[1:], [])
            expecting = True  # a name may begin with a colon too; it stands where a value must
            continue
        else:
            values.append(word)
        expecting = False
    return list(_nodes_at_top(top))


def _nodes_at_top(values: list[object]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
        elif isinstance(value, list):
            yield from _nodes_at_top(value)
