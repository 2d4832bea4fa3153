"""What is to be installed: one view in one database."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """A view's declaration, ready for a database.

    `sql` is literal SQL without parameters. `renames` pairs output names of the query with the table's columns where
    they differ. `indexes_sql` runs after the fill, in the same transaction. `grants` are roles that may SELECT.
    `settings` are those that an installed view has pinned, by which it is installed again; a new one takes the
    connection's. `prefer` decides where estimates would; `settled` pairs what an installed view chose from with its
    choice, which it keeps.
    """

    name: str
    sql: str
    schema: str | None = None
    mode: str = "immediate"
    strategy: str = "auto"
    on_error: str = "raise"
    label: str = ""
    renames: tuple[tuple[str, str], ...] = ()
    surrogate: str | None = None
    indexes_sql: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    prefer: str = "auto"
    settled: tuple[tuple[str, str], ...] = ()

    @property
    def hash(self) -> str:
        """Changes with anything in the declaration; the schema is where it is, not what it is, and the pinned settings
        and the choices are what was found there."""
        values = {k: v for k, v in asdict(self).items() if k not in ("schema", "settings", "settled")}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, data: dict[str, object]) -> ViewSpec:
        """The declaration as it was installed."""
        known = {f.name for f in fields(cls)}
        values = {k: _tuples(v) for k, v in data.items() if k in known}
        return cls(**values)  # type: ignore[arg-type]


def _tuples(value: object) -> object:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
