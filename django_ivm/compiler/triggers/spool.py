"""The spool: changes of a statement's inner events, kept until the outermost event applies them together.

Small changes go into an array of records in a transaction-local setting (some 10 µs; it can't outlive the
transaction), large ones into a table whose rows carry the transaction's number.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.relation import WEIGHT
from ..maintenance.plan import Source
from ..pg import names
from ..pg import sql as q
from ..pg.catalog import Type

SMALL_ROWS = 100  # rows of one event
SMALL_TEXT = 4_096  # bytes of the whole array, which is written anew at each event


@dataclass(frozen=True)
class Spool:
    """The spool of one source of one node."""

    source: Source
    table: str
    setting: str

    @property
    def token(self) -> str:
        """What stands for the source in the pending set."""
        return f",{self.source.number},"

    @property
    def target(self) -> q.Fragment:
        return q.qualified(names.RUNTIME_SCHEMA, self.table)

    def column(self, stored: str) -> q.Fragment:
        """The spool's column for a column of the source."""
        return q.Fragment(f"c{self.source.read_columns.index(stored)}")

    def create(self) -> str:
        """An empty table with the source's column types."""
        columns = [q.sql("{s} AS {c}", s=q.ident(s), c=self.column(s)) for s in self.source.read_columns]
        columns += [q.Fragment(f"1 AS {WEIGHT}"), q.Fragment("NULL::xid8 AS ivm_xid")]
        return q.sql(
            "CREATE TABLE {t} AS SELECT {c} FROM {s} WITH NO DATA",
            t=self.target, c=columns, s=q.qualified(*self.source.name),
        ).text  # fmt: skip

    def relation(self) -> q.Fragment:
        """The spooled change; the table is read only when `ivm_large`."""
        columns = [self.column(s) for s in self.source.read_columns] + [q.ident(WEIGHT)]
        return q.sql(
            "SELECT {c} FROM unnest(nullif(current_setting({setting}, true), '')::{t}[]) "
            "UNION ALL SELECT {c} FROM {t} WHERE {large} AND ivm_xid = pg_current_xact_id()",
            c=columns,
            setting=q.literal(self.setting),
            t=self.target,
            large=q.Fragment("\x00ivm_large\x00"),
        )

    def write(self, event: str) -> q.Fragment:
        """plpgsql that adds this event's transition tables and notes the source as pending."""
        parts = []
        for table, weight, used in (("ivm_old", -1, event != "insert"), ("ivm_new", 1, event != "delete")):
            if used:
                columns = [q.ident(s) for s in self.source.read_columns] + [q.literal(weight)]
                parts.append(q.sql("SELECT {c} FROM {t}{a}", c=columns, t=q.Fragment(table), a=self._alive()))
        rows = q.join(" UNION ALL ", parts)
        counted = q.Fragment("ivm_old" if event == "delete" else "ivm_new")
        return q.sql(
            "IF length(coalesce(current_setting({setting}, true), '')) < {bytes} AND "
            "(SELECT count(*) FROM (SELECT 1 FROM {counted} LIMIT {over}) ivm_z) <= {rows_max} THEN\n"
            "{remember}\n"
            "ELSE\n"
            "{store}\n"
            "IF position('+' IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || '+'; END IF;\n"
            "END IF;\n"
            "IF position({token} IN ivm_pending) = 0 THEN ivm_pending := ivm_pending || {token}; END IF;",
            setting=q.literal(self.setting),
            bytes=q.literal(SMALL_TEXT),
            counted=counted,
            over=q.literal(SMALL_ROWS + 1),
            rows_max=q.literal(SMALL_ROWS),
            remember=self.remember(rows),
            store=self.store(rows),
            token=q.literal(self.token),
        )

    @property
    def _columns(self) -> list[q.Fragment]:
        return [*map(self.column, self.source.read_columns), q.ident(WEIGHT)]

    def remember(self, rows: q.Fragment) -> q.Fragment:
        """plpgsql that adds rows (the read columns, a weight) to the array."""
        return q.sql(
            "PERFORM set_config({setting}, (coalesce(nullif(current_setting({setting}, true), ''), '{}')::{t}[] || "
            "ARRAY(SELECT ROW({n}, NULL)::{t} FROM ({rows}) ivm_z({n})))::text, true);",
            setting=q.literal(self.setting), t=self.target, n=self._columns, rows=rows,
        )  # fmt: skip

    def store(self, rows: q.Fragment) -> q.Fragment:
        """plpgsql that adds rows (the read columns, a weight) to the table."""
        return q.sql(
            "INSERT INTO {t} ({n}, ivm_xid) SELECT ivm_z.*, pg_current_xact_id() FROM ({rows}) ivm_z;",
            t=self.target, n=self._columns, rows=rows,
        )  # fmt: skip

    def _alive(self) -> q.Fragment:
        return q.sql(" WHERE {l} > 0", l=q.ident(self.source.live)) if self.source.live else q.EMPTY

    def forget(self) -> q.Fragment:
        """plpgsql that empties the array."""
        return q.sql("ivm_state := set_config({s}, '', true);", s=q.literal(self.setting))

    def clear(self) -> q.Fragment:
        """plpgsql that empties the spool."""
        return q.sql(
            "{forget}\n"
            "IF ivm_large THEN DELETE FROM {t} WHERE ivm_xid = pg_current_xact_id(); END IF;",
            forget=self.forget(), t=self.target,
        )  # fmt: skip


def settings_for_text(types: tuple[Type, ...]) -> tuple[tuple[str, str], ...]:
    """Settings under which a value's text reads back as the same value."""
    found: list[tuple[str, str]] = []
    if any(t.base in ("float4", "float8") or t.schema != "pg_catalog" or t.kind != "b" for t in types):
        found.append(("extra_float_digits", "1"))
    if any(t.base == "interval" or t.schema != "pg_catalog" or t.kind != "b" for t in types):
        found.append(("IntervalStyle", "postgres"))
    bases = {(t.inner or t).base for t in types}
    if any(base in ("date", "timestamp", "timestamptz") for base in bases):
        found.append(("DateStyle", "ISO, MDY"))
    return tuple(found)
