"""The delta log of a source: an append-only table that every view in mode `commit` or `deferred` shares.

Each statement appends the changed rows, as the columns that any reader needs, with a weight, the transaction's number
and the number of the statement. Who has seen which rows is the readers' affair: a cursor (`pg_snapshot`) per deferred
view, the writer's own transaction for views in mode `commit`. What no rows can tell (TRUNCATE, a MERGE between
partitions) marks the readers instead, and they are computed anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..maintenance.plan import Source
from ..pg import names
from ..pg import sql as q
from .objects import Function, TriggerSpec
from .pieces import DOUBTFUL_MERGE, FOREIGN, LISTENING, NEEDS, changed_rows, own_table
from .plpgsql import block


@dataclass(frozen=True, slots=True)
class LogColumn:
    """A logged column: the source's name for it, its type as SQL, whether equal values look the same."""

    name: str
    type: str
    exact: bool


@dataclass(frozen=True)
class SourceLog:
    """The log of one source. `relations` are the table and the partitions or descendants that hold its rows; `live`
    names the row count of a maintained table; `commit`: some reader applies changes at commit."""

    schema: str
    table: str
    relations: tuple[tuple[str, str], ...]
    columns: tuple[LogColumn, ...]
    live: str | None = None
    partitioned: bool = False
    commit: bool = False

    @classmethod
    def of(cls, sources: Iterable[Source], *, commit: bool) -> SourceLog:
        """The log that serves a view's readings of one table."""
        first, *rest = sources
        columns = {
            stored: LogColumn(stored, column.type.sql, column.type.exact)
            for source in (first, *rest)
            for scan in source.leaves
            for column, stored in scan.columns
        }
        ordered = tuple(columns[name] for name in sorted(columns))
        return cls(*first.name, first.relations, ordered, first.live, first.partitioned, commit)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SourceLog:
        """What `to_json` gave."""
        values = data | {
            "columns": tuple(LogColumn(**column) for column in data["columns"]),
            "relations": tuple((schema, table) for schema, table in data["relations"]),
        }
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """A value for json.dumps()."""
        return asdict(self)

    def extended(self, other: SourceLog, *, commit: bool) -> SourceLog:
        """A log that serves the readers of both; partitions and types are those of this one, which was read last."""
        mine = {column.name: column for column in self.columns}
        both = mine | {column.name: column for column in other.columns if column.name not in mine}
        return replace(self, columns=tuple(both[name] for name in sorted(both)), commit=commit)

    # Names

    @property
    def prefix(self) -> str:
        return names.derived(names.prefix(self.schema, self.table), "log")

    @property
    def name(self) -> str:
        """The log's table."""
        return self.prefix

    @property
    def target(self) -> q.Fragment:
        return q.qualified(names.RUNTIME_SCHEMA, self.name)

    @staticmethod
    def column(stored: str) -> q.Fragment:
        """The log's column for a column of the source."""
        return q.ident(names.shorten(f"c_{stored}"))

    # Statements

    def table_statements(self) -> list[str]:
        """The table with its index; run again, they add what columns are missing."""
        t = self.target
        index = q.ident(names.derived(self.prefix, "xid"))
        found = [
            q.sql(
                "CREATE TABLE IF NOT EXISTS {t} "
                "(ivm_w smallint NOT NULL, ivm_xid xid8 NOT NULL, ivm_seq bigint NOT NULL)",
                t=t,
            ),
            q.sql("CREATE INDEX IF NOT EXISTS {i} ON {t} (ivm_xid)", i=index, t=t),
        ]
        for column in self.columns:
            found.append(
                q.sql(
                    "ALTER TABLE {t} ADD COLUMN IF NOT EXISTS {c} {type}",
                    t=t, c=self.column(column.name), type=q.Fragment(column.type),
                )
            )  # fmt: skip
        return [statement.text for statement in found]

    def triggers(self) -> list[TriggerSpec]:
        """Statement triggers on the source and all that holds its rows."""
        found = []
        for schema, table in self.relations:
            for event in ("insert", "update", "delete"):
                function = self._function(event, self._append(event))
                name = names.shorten(f"ivm_{function.name}")
                found.append(TriggerSpec(name, schema, table, "AFTER", (event.upper(),), function, *NEEDS[event]))
            function = self._function("truncate", self._truncated())
            name = names.shorten(f"ivm_{function.name}")
            found.append(TriggerSpec(name, schema, table, "AFTER", ("TRUNCATE",), function))
        return found

    def objects(self) -> dict[str, list[str]]:
        """Names of everything in our schema that belongs to the log."""
        functions = {spec.function.name: spec.function.signature.text for spec in self.triggers()}
        return {"tables": [self.name], "functions": list(functions.values())}

    # Bodies

    def _function(self, event: str, work: q.Fragment) -> Function:
        body = q.sql(
            "IF NOT ({own}) THEN\n{foreign}\nEND IF;\n{work}\nRETURN NULL;",
            own=own_table(self), foreign=FOREIGN, work=work,
        )  # fmt: skip
        name = names.derived(self.prefix, event)
        return Function(names.RUNTIME_SCHEMA, name, "trigger", block((("ivm_at", "bigint"),), body))

    def _append(self, event: str) -> q.Fragment:
        columns = [q.ident(column.name) for column in self.columns]
        alive = q.sql(" WHERE {l} > 0", l=q.ident(self.live)) if self.live else q.EMPTY
        parts = []
        for table, weight in (("ivm_old", -1), ("ivm_new", 1)):
            if table in NEEDS[event]:
                parts.append(
                    q.sql(
                        "SELECT {c} FROM {t}{a}",
                        c=[*columns, q.literal(weight), q.Fragment("pg_current_xact_id()"), q.Fragment("ivm_at")],
                        t=q.Fragment(table), a=alive,
                    )
                )  # fmt: skip
        append = q.sql(
            "ivm_at := nextval('django_ivm.seq');\nINSERT INTO {t} ({c}) {rows};\nIF FOUND THEN\n{note}\nEND IF;",
            t=self.target,
            c=[*(self.column(column.name) for column in self.columns), *map(q.ident, ("ivm_w", "ivm_xid", "ivm_seq"))],
            rows=q.join(" UNION ALL ", parts),
            note=self._note(),
        )
        if event == "update":
            changed = changed_rows(event, [(c.name, c.exact) for c in self.columns], self.live)
            append = q.sql("IF {changed} THEN\n{append}\nEND IF;", changed=changed, append=append)
        if event == "update" and self.partitioned:
            doubt = q.sql("IF {doubtful} THEN\n{mark}\nEND IF;", doubtful=DOUBTFUL_MERGE, mark=self._mark("MERGE"))
            return q.sql("{doubt}\n{append}", doubt=doubt, append=append)
        return append

    def _truncated(self) -> q.Fragment:
        return self._mark("TRUNCATE")

    def _mark(self, what: str) -> q.Fragment:
        """Nothing tells which rows went: the readers are computed anew."""
        return q.sql(
            "PERFORM django_ivm.know_readers(ARRAY[{log}]);\n"
            "INSERT INTO django_ivm.stale (view_schema, view_name, reason) SELECT r.view_schema, r.view_name, "
            "{what} || ' on ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME FROM django_ivm.reader r WHERE r.log = {log};"
            "\n{note}",
            what=q.literal(what), log=q.literal(self.name), note=self._note(doubt=True),
        )  # fmt: skip

    def _note(self, *, doubt: bool = False) -> q.Fragment:
        """Who has to hear of the change: the commit of this transaction, a worker that sleeps. The name of a log in
        doubt has a `!` before it."""
        if not self.commit:
            return LISTENING
        logs = [q.literal(self.name), *([q.literal(f"!{self.name}")] if doubt else [])]
        return q.sql(
            "INSERT INTO django_ivm.pending AS ivm_p (xid, logs, seq) VALUES (pg_current_xact_id(), ARRAY[{logs}], "
            "coalesce(ivm_at, nextval('django_ivm.seq'))) ON CONFLICT (xid) DO UPDATE "
            "SET logs = ivm_p.logs || excluded.logs WHERE NOT ivm_p.logs @> excluded.logs;\n{listening}",
            logs=logs, listening=LISTENING,
        )  # fmt: skip
