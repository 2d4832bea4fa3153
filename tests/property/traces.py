"""Random writes: every way in which a statement, or several, can change the sources of a view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .dice import Dice
from .schemas import Column, Schema, Table, insert, literal, quoted
from .script import Statement, Step

_LARGE = 130  # rows of a large statement, more than the small paths take


@dataclass
class Traces:
    """Draws steps over a schema's tables. `rows` is the dice of values."""

    dice: Dice
    rows: Dice
    schema: Schema
    large: bool = False
    meetings: list[tuple[tuple[str, str], tuple[str, str]]] = field(default_factory=list)  # (table, column) of joins

    def draw(self, count: int) -> list[Step]:
        steps = [self._step() for _ in range(count)]
        if self.large:
            at = self.dice.integer(0, count - 1)
            steps[at:at] = [self._many(), self._step(), self._many_more()]
        return steps

    def _step(self) -> Step:
        kind = "call" if self.schema.function and self.dice.chance(20) else self.dice.weighted(_KINDS)
        made = getattr(self, f"_{kind}")()
        statements = made if isinstance(made, list) else [made]
        return Step.of(kind, *statements)

    # One statement

    def _simple(self) -> str:
        """A write that may be a part of another statement."""
        return str(getattr(self, f"_{self.dice.weighted(_SIMPLE)}")())

    def _table(self) -> Table:
        return self.dice.pick(self.schema.tables)

    def _into(self, table: Table) -> str:
        """The table, or one of its partitions."""
        if table.partitions and self.dice.chance(30):
            return quoted(self.dice.pick(table.partitions))
        return table.sql

    def _insert(self) -> str:
        table = self._table()
        rows = [table.row(self.rows) for _ in range(self.dice.pick((1, 1, 2, 5)))]
        if self.dice.chance(30):
            rows.append(rows[0])  # a duplicate, where no key forbids it
        more = "" if not table.key or self.dice.chance(25) else " ON CONFLICT DO NOTHING"
        return insert(table, rows, self._into(table), more)

    def _insert_select(self) -> str:
        table = self._table()
        moved = {c.name: self._moved(c) for c in table.writable if c.name in table.key}
        values = ", ".join(moved.get(c.name, c.sql) for c in table.writable)
        columns = ", ".join(c.sql for c in table.writable)
        rows = f"SELECT {values} FROM {table.sql}{self._where(table)}"
        return f"INSERT INTO {table.sql} ({columns}) {rows} ON CONFLICT DO NOTHING"

    def _moved(self, column: Column) -> str:
        """Another value of a key column."""
        if column.kind.tag in ("int2", "int4", "int8"):
            return f"{column.sql} + {self.dice.pick((1, 3, 10))}"
        if column.kind.tag == "text":
            return f"{column.sql} || '{self.dice.pick('kk')}'"
        return literal(column.kind.value(self.rows), column.kind)

    def _expression(self, table: Table, column: Column) -> str:
        if column.name in table.key:
            return self._moved(column)
        same = [c.sql for c in table.columns if c.kind == column.kind]
        if self.dice.chance(25):
            return self.dice.pick(same)
        if column.kind.tag in ("int4", "int8", "fixed", "free", "float") and self.dice.chance(35):
            return f"{column.sql} + {self.dice.pick((1, -1, 2))}"
        return literal(column.value(self.rows))

    def _update(self) -> str:
        table = self._table()
        columns = [c for c in table.writable if c.name not in table.key or self.dice.chance(15)]
        chosen = self.dice.sample(columns or table.writable, self.dice.pick((1, 1, 2)))
        changes = ", ".join(f"{c.sql} = {self._expression(table, c)}" for c in chosen)
        return f"UPDATE {self._into(table)} SET {changes}{self._where(table)}"

    def _key_move(self) -> str:
        table = self._table()
        if not table.key:
            return self._update()
        column = table.column(self.dice.pick(table.key))
        return f"UPDATE {table.sql} SET {column.sql} = {self._moved(column)}{self._where(table, 90)}"

    def _unread(self) -> str:
        table = self._table()
        column = self.dice.pick(table.writable)
        return f"UPDATE {table.sql} SET {column.sql} = {column.sql}{self._where(table, 30)}"

    def _delete(self) -> str:
        table = self._table()
        return f"DELETE FROM {self._into(table)}{self._where(table, 85)}"

    def _where(self, table: Table, percent: int = 75) -> str:
        if not self.dice.chance(percent):
            return ""
        column = self.dice.pick([c for c in table.columns if c.kind.sql != "json"])
        if column.nullable and self.dice.chance(15):
            return f" WHERE {column.sql} IS NULL"
        operator = self.dice.pick(("=", "=", "<>", "<=", ">")) if column.kind.tag != "carried" else "="
        return f" WHERE {column.sql} {operator} {literal(column.kind.value(self.rows))}"

    def _joined_update(self) -> str:
        table, other = self._table(), self._table()
        column = self.dice.pick([c for c in table.writable if c.name not in table.key] or list(table.writable))
        pairs = [
            f"x.{a.sql} = y.{b.sql}"
            for a in table.columns for b in other.columns
            if a.kind == b.kind and a.kind.sql != "json" and a.kind.tag != "carried"
        ]  # fmt: skip
        on = self.dice.pick(pairs) if pairs else "false"
        if self.dice.chance(40):
            return f"DELETE FROM {table.sql} x USING {other.sql} y WHERE {on}"
        return (
            f"UPDATE {table.sql} x SET {column.sql} = {literal(column.value(self.rows))} FROM {other.sql} y WHERE {on}"
        )

    def _keyed(self) -> Table | None:
        keyed = [t for t in self.schema.tables if t.key]
        return self.dice.pick(keyed) if keyed else None

    def _upsert(self) -> str:
        table = self._keyed()
        if table is None:
            return self._insert()
        rows = {tuple(r[: len(table.key)]): r for r in (table.row(self.rows) for _ in range(self.dice.pick((1, 3, 6))))}
        column = self.dice.pick([c for c in table.writable if c.name not in table.key] or list(table.writable))
        value = self.dice.pick(
            (f"excluded.{column.sql}", literal(column.value(self.rows)), f"{table.sql}.{column.sql}")
        )
        where = f" WHERE {table.sql}.{column.sql} IS NOT NULL" if self.dice.chance(20) else ""
        target = ", ".join(map(quoted, table.key))
        return insert(
            table, list(rows.values()), more=f" ON CONFLICT ({target}) DO UPDATE SET {column.sql} = {value}{where}"
        )

    def _merge(self) -> str:
        table = self._keyed()
        # A MERGE that moves a row to another partition shows its triggers too little: such a view is marked stale.
        if table is None or table.partitions:
            return self._delete()
        rows = {tuple(r[: len(table.key)]): r for r in (table.row(self.rows) for _ in range(self.dice.pick((1, 3, 6))))}
        kinds = [c.kind for c in table.writable]
        values = ", ".join(
            "(" + ", ".join(literal(v, k) for v, k in zip(row, kinds, strict=True)) + ")" for row in rows.values()
        )
        columns = [c.sql for c in table.writable]
        on = " AND ".join(f"x.{quoted(k)} = y.{quoted(k)}" for k in table.key)
        rest = [c for c in columns if c not in map(quoted, table.key)] or columns
        column = self.dice.pick(rest)
        matched = [
            f"WHEN MATCHED THEN UPDATE SET {column} = y.{column}",
            "WHEN MATCHED THEN DELETE",
            "WHEN MATCHED THEN DO NOTHING",
        ]
        parts = [self.dice.pick(matched)]
        if self.dice.chance(30):
            parts.insert(0, f"WHEN MATCHED AND x.{column} IS NULL THEN DELETE")
        if self.dice.chance(80):
            own = ", ".join(f"y.{c}" for c in columns)
            parts.append(f"WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) VALUES ({own})")
        source = f"(VALUES {values}) AS y({', '.join(columns)})"
        return f"MERGE INTO {table.sql} AS x USING {source} ON {on} {' '.join(parts)}"

    def _cte(self) -> str:
        """Two or three writes in one statement, of which each sees none of the others' rows."""
        parts = [self._simple() for _ in range(self.dice.integer(1, 2))]
        named = ", ".join(f"w{i} AS ({part} RETURNING 1)" for i, part in enumerate(parts))
        last = self._simple() if self.dice.chance(75) else "SELECT count(*) FROM w0"
        return f"WITH {named} {last}"

    def _both_sides(self) -> str:
        """Rows of two tables that meet in one value come, go or change in one statement."""
        table, other = self._table(), self._table()
        found = [
            (a, b)
            for a in table.writable for b in other.writable
            if a.kind == b.kind and a.kind.tag not in ("carried", "array", "jsonb")
        ]  # fmt: skip
        if table.references and self.dice.chance(50):
            reference = self.dice.pick(table.references)
            other = next(t for t in self.schema.tables if t.name == reference.parent)
            found = [(table.column(reference.column), other.column(other.key[0]))]
        if not found:
            return self._cte()
        a, b = self.dice.pick(found)
        known = self._meetings()
        if known and self.dice.chance(75):
            (table, a), (other, b) = self.dice.pick(known)
        value = a.kind.value(self.rows)
        kinds = {"insert": 4, "delete": 4, "update": 2, "come": 2}
        same = {self.dice.weighted(kinds): 1} if self.dice.chance(40) else kinds
        parts = [self._meeting(table, a, value, same), self._meeting(other, b, value, same)]
        first, second = self.dice.sample(parts, 2)
        return f"WITH w0 AS ({first} RETURNING 1) {second}"

    def _meetings(self) -> list[tuple[tuple[Table, Column], tuple[Table, Column]]]:
        """Columns of tables, by which a view joins them, that take values of one kind."""
        columns = {(t.sql, c.sql): (t, c) for t in self.schema.tables for c in t.writable}
        found = [(columns[a], columns[b]) for a, b in self.meetings if a in columns and b in columns]
        return [pair for pair in found if pair[0][1].kind == pair[1][1].kind]

    def _meeting(self, table: Table, column: Column, value: str, kinds: dict[str, int]) -> str:
        """A write of rows with a value in a column."""
        kind = self.dice.weighted(kinds)
        if kind == "insert":
            at = table.writable.index(column)
            rows = [table.row(self.rows) for _ in range(self.dice.pick((1, 2)))]
            return insert(table, [[*row[:at], value, *row[at + 1 :]] for row in rows])
        if kind == "delete":
            return f"DELETE FROM {table.sql} WHERE {column.sql} = {literal(value)}"
        if kind == "update":
            changed = self.dice.pick([c for c in table.writable if c.name not in table.key] or list(table.writable))
            change = f"{changed.sql} = {self._expression(table, changed)}"
            return f"UPDATE {table.sql} SET {change} WHERE {column.sql} = {literal(value)}"
        return f"UPDATE {table.sql} SET {column.sql} = {literal(value)}{self._where(table, 95)}"

    def _move(self) -> str:
        """Rows that go and come again within one statement, some of them changed or under the key they had."""
        table = self._table()
        moved = {c.name: self._moved(c) for c in table.writable if c.name in table.key and self.dice.chance(50)}
        other = self.dice.pick(table.writable)
        if other.name not in table.key:
            moved[other.name] = self._expression(table, other)
        values = ", ".join(moved.get(c.name, c.sql) for c in table.writable)
        columns = ", ".join(c.sql for c in table.writable)
        gone = f"DELETE FROM {table.sql}{self._where(table)} RETURNING *"
        return f"WITH gone AS ({gone}) INSERT INTO {table.sql} ({columns}) SELECT {values} FROM gone"

    def _refill(self) -> list[str]:
        """Rows for every table, since most traces end with few."""
        return [insert(t, [t.row(self.rows) for _ in range(self.dice.pick((2, 5, 8)))]) for t in self.schema.tables]

    def _truncate(self) -> str:
        tables = ", ".join(t.sql for t in self.dice.sample(self.schema.tables, self.dice.pick((1, 1, 2))))
        return f"TRUNCATE {tables}{self.dice.pick((' CASCADE', ' CASCADE', ''))}"

    def _copy(self) -> Statement:
        table = self._table()
        rows = [table.row(self.rows) for _ in range(self.dice.pick((1, 4)))]
        if table.key:
            for i, row in enumerate(rows):
                if table.columns[0].kind.tag in ("int4", "int8"):
                    row[0] = str(20 + i + self.dice.integer(0, 40))
        return _copied(table, rows)

    # Several statements

    def _rolled_back(self) -> list[str]:
        return ["SAVEPOINT inner_one", self._simple(), self._cte(), "ROLLBACK TO SAVEPOINT inner_one", self._simple()]

    def _released(self) -> list[str]:
        return ["SAVEPOINT inner_one", self._simple(), "RELEASE SAVEPOINT inner_one", self._simple()]

    def _block(self) -> str:
        """Statements of one client statement, some undone by an exception that is caught."""
        caught = f"BEGIN {self._simple()}; PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END;"
        parts = [
            f"{self._simple()};",
            caught,
            f"{self._cte()};".replace("SELECT count(*)", "SELECT 1"),
            f"{self._simple()};",
        ]
        chosen = [p for p in self.dice.sample(parts, self.dice.integer(2, 4)) if "SELECT 1 FROM w0" not in p]
        return f"DO $do$ BEGIN {' '.join(chosen) or 'NULL;'} END $do$"

    def _failing(self) -> str:
        """A statement that has written before it fails."""
        table = self._table()
        parts = f"w AS (DELETE FROM {table.sql} RETURNING 1), z AS ({self._simple()} RETURNING 1)"
        return f"WITH {parts} SELECT 1 / (count(*) - count(*)) FROM w, z"

    def _constraints(self) -> list[str]:
        return [self._simple(), "SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL DEFERRED"]

    def _settings(self) -> str:
        """Settings of the session, which change how values look as text."""
        return f"SET {self.dice.pick(_SETTINGS)}"

    def _reading(self) -> str:
        """A write that reads a view, as it is before the statement."""
        table = self._table()
        numbers = [c for c in table.writable if c.kind.tag in ("int4", "int8") and c.name not in table.key]
        count = f"(SELECT count(*) FROM v{self.dice.integer(1, 2)})"
        if numbers and self.dice.chance(70):
            return f"UPDATE {table.sql} SET {self.dice.pick(numbers).sql} = {count}{self._where(table)}"
        return f"DELETE FROM {table.sql} WHERE {count} {self.dice.pick(('> 2', '< 2'))}"

    def _call(self) -> str:
        """A function that writes, alone or inside a write."""
        table = self._table()
        numbers = [c for c in table.writable if c.kind.tag in ("int4", "int8") and c.name not in table.key]
        if not numbers or self.dice.chance(30):
            return self.dice.pick(("SELECT writer()", f"DELETE FROM {table.sql} WHERE writer() = 3"))
        number = self.dice.pick(numbers).sql
        write = f"UPDATE {table.sql} SET {number} = writer(){self._where(table)}"
        return self.dice.pick((write, f"WITH w AS ({write} RETURNING 1) {self._simple()}"))

    # Many rows

    def _many(self) -> Step:
        """Few values, so that joins of the rows stay small: keys count on, other columns take few rows' values."""
        table = self._table()
        samples = [table.row(self.rows) for _ in range(40)]
        rows = []
        for i in range(_LARGE):
            row = list(self.rows.pick(samples))
            for at, column in enumerate(table.writable):
                if column.name in table.key or (column.kind.tag in ("int4", "int8") and self.rows.chance(80)):
                    row[at] = _numbered(column, i, row[at])
            rows.append(row)
        if self.dice.chance(40):
            return Step.of("copy many", _copied(table, rows))
        return Step.of("insert many", insert(table, rows))

    def _many_more(self) -> Step:
        table = self._table()
        makers: list[Callable[[], str]] = [
            lambda: self._update().partition(" WHERE ")[0],
            lambda: f"DELETE FROM {table.sql}",
            self._cte,
            self._joined_update,
        ]
        return Step.of("many", self.dice.pick(makers)())


def _numbered(column: Column, i: int, other: str | None) -> str | None:
    if column.kind.tag in ("int4", "int8"):
        return str(1000 + i)
    if column.kind.tag == "text":
        return f"n{i}"
    if column.kind.tag == "uuid":
        return f"00000000-0000-0000-0001-{i:012d}"
    return other


def _copied(table: Table, rows: list[list[str | None]]) -> Statement:
    def field(value: str | None) -> str:
        if value is None:
            return "\\N"
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")

    columns = ", ".join(c.sql for c in table.writable)
    return Statement(f"COPY {table.sql} ({columns}) FROM stdin", "".join("\t".join(map(field, r)) + "\n" for r in rows))


_SETTINGS = (
    "DateStyle = 'SQL, DMY'",
    "DateStyle = 'German'",
    "IntervalStyle = 'iso_8601'",
    "TimeZone = 'Asia/Tokyo'",
    "extra_float_digits = -2",
    "bytea_output = 'escape'",
    "enable_indexscan = off",
    "plan_cache_mode = force_generic_plan",
    "default_transaction_isolation = 'repeatable read'",
)
_SIMPLE = {
    "insert": 4, "update": 4, "delete": 2, "upsert": 2, "insert_select": 1, "joined_update": 1, "key_move": 1,
}  # fmt: skip
_KINDS = {
    "both_sides": 12, "move": 3, "refill": 4,
    "settings": 3, "reading": 4,
    "insert": 14, "update": 14, "delete": 8, "key_move": 6, "unread": 3, "upsert": 7, "merge": 7,
    "cte": 12, "truncate": 3, "insert_select": 4, "joined_update": 5, "copy": 3, "rolled_back": 4,
    "released": 2, "block": 5, "failing": 3, "constraints": 3,
}  # fmt: skip
