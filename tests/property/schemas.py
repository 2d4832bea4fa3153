"""Random schemas: tables, keys, foreign keys, partitions and first rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from .dice import Dice


@dataclass(frozen=True)
class Kind:
    """A column type with its pool of values, as PostgreSQL reads them; `tag` is how queries may use it."""

    sql: str
    tag: str
    values: tuple[str, ...]
    rare: tuple[str, ...] = ()

    def value(self, dice: Dice) -> str:
        return dice.pick(self.rare) if self.rare and dice.chance(6) else dice.pick(self.values)


_TEXTS = ("a", "b", "A", "", "b b", "ä", "zz")
# What must survive a trip through the text of a record array.
_HARD_TEXTS = ('"q"', "o'k", "x,y", "{a}", "NULL", "back\\slash", "(1,2)", " ", "two\nlines")
_DAYS = ("2024-02-28", "2024-02-29", "2024-03-01", "1999-12-31", "2024-12-31")
_IDS = tuple(f"00000000-0000-0000-0000-00000000000{n}" for n in range(6))
KINDS: dict[str, Kind] = {
    kind.sql: kind
    for kind in (
        Kind("int2", "int2", ("0", "1", "2", "3", "-1"), ("300",)),
        Kind("int4", "int4", ("0", "1", "2", "3", "4", "5", "-2"), ("100000",)),
        Kind("int8", "int8", ("0", "1", "2", "3", "7", "-3"), ("1099511627776", "-1099511627776")),
        Kind("numeric(8,2)", "fixed", ("0.00", "1.25", "2.50", "-3.50", "10.10", "2.20"), ("NaN", "999999.99")),
        Kind("numeric(5,0)", "fixed", ("0", "1", "2", "17"), ("NaN",)),
        # No two equal numbers that look different: which of them min() shows is chance.
        Kind("numeric", "free", ("0", "1.1", "2.25", "-4.5", "3", "10.125"), ("NaN", "Infinity", "-Infinity")),
        Kind("text", "text", _TEXTS, _HARD_TEXTS),
        Kind("varchar(12)", "text", _TEXTS, _HARD_TEXTS),
        Kind("char(4)", "text", ("a", "b", "zz", "")),
        Kind('text COLLATE "C"', "text", _TEXTS),
        Kind("small", "int4", ("0", "1", "2", "-1"), ("1000",)),
        Kind("bool", "bool", ("t", "f")),
        Kind("date", "date", _DAYS, ("infinity",)),
        Kind("timestamp", "stamp", tuple(f"{day} 12:00" for day in _DAYS), ("2024-03-01 00:00:00.000001",)),
        Kind("timestamptz", "zoned", tuple(f"{day} 12:00+02" for day in _DAYS), ("-infinity",)),
        # Every sum of these is exact, in any order.
        Kind("float8", "float", ("0", "0.5", "-1.25", "2", "1024", "3"), ("NaN",)),
        Kind("uuid", "uuid", _IDS),
        Kind("mood", "enum", ("sad", "ok", "happy")),
        Kind("jsonb", "jsonb", ("{}", '{"a": 1}', "[1, 2]", '[2, null, "x"]', "null", '"x"')),
        Kind("json", "carried", ("{}", '{"a":1}', '{"a": 1}')),
        Kind("int4[]", "array", ("{}", "{1,2}", "{NULL,3}", "{2,2}")),
        Kind("bytea", "carried", ("\\x00ff", "\\x")),
        Kind("interval", "carried", ("1 day", "24 hours", "-3 mons")),
    )
}
_WEIGHTS = {
    "int4": 9,
    "text": 6,
    "numeric(8,2)": 6,
    "int8": 3,
    "bool": 3,
    "numeric": 2,
    "date": 2,
    "float8": 2,
    "int2": 2,
}
_WEIGHTS |= {"timestamptz": 2, "uuid": 1, "mood": 1, "jsonb": 2, "timestamp": 1, "numeric(5,0)": 1, "varchar(12)": 1}
_WEIGHTS |= {"char(4)": 1, 'text COLLATE "C"': 1, "small": 1}
_WEIGHTS |= {"json": 1, "int4[]": 2, "bytea": 1, "interval": 1}
_NAMES = ("a", "b", "c", "d", "e", "g", "Camel", "select", "two words", "größe")


def quoted(name: str) -> str:
    plain = name.isascii() and name.islower() and name.replace("_", "a").isalnum() and name not in ("select", "order")
    return name if plain else '"' + name.replace('"', '""') + '"'


def literal(raw: str | None, kind: Kind | None = None) -> str:
    """SQL of a value; with a kind also where nothing else tells its type."""
    text = "NULL" if raw is None else "'" + raw.replace("'", "''") + "'"
    return text if kind is None else f"CAST({text} AS {kind.sql.partition(' COLLATE')[0]})"


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    nullable: bool = True
    generated: str = ""

    @property
    def sql(self) -> str:
        return quoted(self.name)

    def value(self, dice: Dice) -> str | None:
        """Mostly NULL-free; sometimes a NULL that a NOT NULL column refuses."""
        return None if dice.chance(18 if self.nullable else 1) else self.kind.value(dice)


@dataclass(frozen=True)
class ForeignKey:
    column: str
    parent: str
    actions: str


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    references: tuple[ForeignKey, ...] = ()
    partitions: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        return quoted(self.name)

    @property
    def writable(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if not c.generated)

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def row(self, dice: Dice) -> list[str | None]:
        return [column.value(dice) for column in self.writable]


@dataclass
class Schema:
    tables: list[Table] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)  # that make it, first rows included
    function: bool = False  # there is a function `writer()` that writes and returns a number


def insert(table: Table, rows: list[list[str | None]], into: str = "", more: str = " ON CONFLICT DO NOTHING") -> str:
    values = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
    columns = ", ".join(c.sql for c in table.writable)
    return f"INSERT INTO {into or table.sql} ({columns}) VALUES {values}{more}"


def _table(dice: Dice, name: str, earlier: list[Table]) -> Table:
    key_kinds: tuple[str, ...] = dice.weighted(
        {("int4",): 8, ("int8",): 3, ("text",): 3, ("uuid",): 1, ("int4", "text"): 2, (): 3}
    )
    key = tuple("id" if i == 0 else f"id{i + 1}" for i in range(len(key_kinds)))
    columns = [Column(n, KINDS[k], nullable=False) for n, k in zip(key, key_kinds, strict=True)]
    for column in dice.sample(_NAMES, dice.integer(2, 5)):
        columns.append(Column(column, KINDS[dice.weighted(_WEIGHTS)], nullable=dice.chance(75)))
    references = []
    parents = [t for t in earlier if len(t.key) == 1 and not t.partitions]
    if len(key) == 1:
        parents.append(Table(name, tuple(columns), key))
    for parent in dice.some(parents, 50)[:2]:
        column = f"{parent.name.lower()}_id"
        columns.append(Column(column, parent.column(parent.key[0]).kind, nullable=dice.chance(80)))
        actions = dice.weighted({"": 3, " ON DELETE CASCADE": 4, " ON DELETE SET NULL": 3, " ON UPDATE CASCADE": 1})
        actions += dice.pick(("", " ON UPDATE CASCADE")) if "UPDATE" not in actions else ""
        actions += dice.weighted({" DEFERRABLE INITIALLY DEFERRED": 3, "": 1})
        references.append(ForeignKey(column, parent.name, actions))
    numbers = [c for c in columns if c.kind.tag in ("int4", "int2")]
    if numbers and dice.chance(8):
        columns.append(Column("made", KINDS["int4"], generated=f"{dice.pick(numbers).sql} * 2"))
    split = bool(key) and key_kinds[0] in ("int4", "int8") and not references and dice.chance(12)
    partitions = (f"{name}_p0", f"{name}_p1") if split else ()
    return Table(name, tuple(columns), key, tuple(references), partitions)


def _ddl(table: Table) -> list[str]:
    parts = []
    for column in table.columns:
        made = f" GENERATED ALWAYS AS ({column.generated}) STORED" if column.generated else ""
        parts.append(f"{column.sql} {column.kind.sql}{'' if column.nullable else ' NOT NULL'}{made}")
    if table.key:
        parts.append(f"PRIMARY KEY ({', '.join(map(quoted, table.key))})")
    for reference in table.references:
        target = quoted(reference.parent)
        parts.append(f"FOREIGN KEY ({quoted(reference.column)}) REFERENCES {target}{reference.actions}")
    by = f" PARTITION BY HASH ({quoted(table.key[0])})" if table.partitions else ""
    statements = [f"CREATE TABLE {table.sql} ({', '.join(parts)}){by}"]
    for i, partition in enumerate(table.partitions):
        values = f"FOR VALUES WITH (MODULUS {len(table.partitions)}, REMAINDER {i})"
        statements.append(f"CREATE TABLE {quoted(partition)} PARTITION OF {table.sql} {values}")
    return statements


def draw_schema(dice: Dice) -> Schema:
    """2–4 tables with rows and references between them."""
    enum, domain = "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')", "CREATE DOMAIN small AS int4 CHECK (VALUE < 1000)"
    schema = Schema(statements=[enum, domain])
    names = dice.sample(("t1", "t2", "t3", "Order", "t5"), dice.integer(2, 4))
    for name in names:
        schema.tables.append(_table(dice, name, schema.tables))
    for table in schema.tables:
        schema.statements += _ddl(table)
    values = dice.fork()
    for table in schema.tables:
        for _ in range(dice.pick((0, 3, 6, 9))):
            schema.statements.append(insert(table, [table.row(values)]))
    return schema
