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

    def resolve(self, fields: tuple[str, ...]) -> str:
        """The bound column of a reference.

        Raises Unsupported for system columns and whole-row references.
        """
        name = fields[-1]
        if len(fields) == 1:
            if name in self.merged:
                return self.merged[name]
            found = {item.columns[name] for item in self.items if name in item.columns}
        else:
            found = {item.columns[name] for item in self.items if item.alias == fields[-2] and name in item.columns}
        if len(found) == 1:
            return found.pop()
        if name in SYSTEM_COLUMNS:
            raise Unsupported("SYSTEM_COLUMN", f"the system column {name} changes without a write", f"column:{name}")
        if any(item.alias == name for item in self.items):
            raise Unsupported("WHOLE_ROW", f"a whole row of {name} is used as a value", f"column:{name}")
        raise CompileError(f"column {'.'.join(fields)} isn't in the catalog")
