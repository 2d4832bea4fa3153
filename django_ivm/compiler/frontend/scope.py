"""Names in a FROM clause: which column of the bound relation a reference means."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import CompileError, Unsupported
from ..pg.names import shorten

SYSTEM_COLUMNS = frozenset(["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"])
_OURS = ("ivm_",)


class Names:
    """Column names that are unique in one compilation, as close to the user's as can be."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def fresh(self, wanted: str) -> str:
        base = shorten(wanted if not wanted.startswith(_OURS) else "c_" + wanted, 55)
        name, n = base, 1
        while name in self._used:
            n += 1
            name = f"{base}_{n}"
        self._used.add(name)
        return name


@dataclass(slots=True)
class ScopeItem:
    """One FROM item: its alias and, for each of its column names, the bound relation's column."""

    alias: str
    columns: dict[str, str]


@dataclass(slots=True)
class Scope:
    """All FROM items of one SELECT."""

    items: list[ScopeItem] = field(default_factory=list)
    merged: dict[str, str] = field(default_factory=dict)  # JOIN … USING columns
    merged_of: dict[str, set[str]] = field(default_factory=dict)  # the bound columns that each of them stands for
    coalesced: dict[tuple[str, ...], str] = field(default_factory=dict)  # of a FULL JOIN … USING: both sides, merged
    outer: Scope | None = None  # of the query that a correlated subquery stands in
    grouped: tuple[Scope, dict[str, str]] | None = None  # scope below GROUP BY, and its columns' names above

    def resolve(self, fields: tuple[str, ...]) -> str:
        """The bound column of a reference.

        Raises Unsupported for system columns and whole-row references.
        """
        found = self.own(fields)
        if found is not None:
            return found
        name = fields[-1]
        if self.grouped is not None:
            below, above = self.grouped
            column = below.own(fields)
            if column in above:
                return above[column]
        if self.outer is not None:
            return self.outer.resolve(fields)
        if name in SYSTEM_COLUMNS:
            raise Unsupported("SYSTEM_COLUMN", f"the system column {name} changes without a write", f"column:{name}")
        if any(item.alias == name for item in self.items):
            raise Unsupported("WHOLE_ROW", f"a whole row of {name} is used as a value", f"column:{name}")
        raise CompileError(f"column {'.'.join(fields)} isn't in the catalog")

    def own(self, fields: tuple[str, ...]) -> str | None:
        """The bound column when the reference means one of this level."""
        name = fields[-1]
        if fields[0] == "ivm_bound":
            return name
        if len(fields) == 1:
            if name in self.merged:
                return self.merged[name]
            found = {item.columns[name] for item in self.items if name in item.columns}
        else:
            found = {item.columns[name] for item in self.items if item.alias == fields[-2] and name in item.columns}
        return found.pop() if len(found) == 1 else None
