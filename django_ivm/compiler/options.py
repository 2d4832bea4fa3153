"""What the declaration of a view says beyond its query."""

from __future__ import annotations

from dataclasses import dataclass, field

from .pg import names


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one view.

    `columns` are the table's column names in the order of the query's outputs (empty: the outputs' names).
    `surrogate` names an identity column, stored last. `model`: the table itself carries the view's name, hidden
    columns or not; otherwise a SELECT-only view stands over a table with hidden columns. `on_error` is "raise" or
    "stale": a failing maintenance fails the write, or marks the view. `prefer` decides where `maintenance.choice` would
    by estimates; `settled` pairs what was chosen from before with the choice.
    """

    name: str = "view"
    schema: str = "public"
    mode: str = "immediate"
    strategy: str = "auto"
    on_error: str = "raise"
    columns: tuple[str, ...] = ()
    surrogate: str | None = None
    model: bool = False
    prefer: str = "auto"
    settled: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def storage(self, prefix: str) -> tuple[str, str]:
        """(schema, name) of the stored table of the view."""
        if self.model:
            return self.schema, self.name
        return names.RUNTIME_SCHEMA, names.derived(prefix, "data")
