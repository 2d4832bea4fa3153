"""What the compiler knows of the database: a value, read once by the analyser, so that compilation is pure."""

from __future__ import annotations

from dataclasses import dataclass, field

# Types whose equal values always print alike: a group key or DISTINCT column of another type would need its
# representative fetched again after a delete (1.0 and 1.00, -0.0 and 0.0, citext, intervals, jsonb …).
_EXACT_BASES = frozenset(
    [
        "bool",
        "int2",
        "int4",
        "int8",
        "oid",
        "text",
        "varchar",
        "char",
        "name",
        "date",
        "timestamp",
        "timestamptz",
        "time",
        "timetz",
        "uuid",
        "bytea",
        "inet",
        "cidr",
        "macaddr",
        "macaddr8",
        "money",
        "bit",
        "varbit",
        "pg_lsn",
        "xid8",
    ]
)
_TEXT_BASES = frozenset(["text", "varchar", "name", "bpchar"])
_HASHED_BASES = frozenset(["int2", "int4", "int8", "text", "varchar", "uuid"])


@dataclass(frozen=True, slots=True)
class Type:
    """A column's or an expression's type.

    `sql` is how it is written (`numeric(12,2)`), `base` the name in pg_type without modifiers, `scale` the digits
    after the point that every non-NaN value of a numeric has (None: they vary), `deterministic` is False for a
    collation under which different strings are equal. `inner` is what an array, a range or a domain is made of at the
    bottom, `ordered` says that a btree can hold the type, `equals` writes its equality operator.
    """

    sql: str
    base: str
    kind: str = "b"  # pg_type.typtype: b base, c composite, d domain, e enum, r range, p pseudo
    typmod: int = -1
    scale: int | None = None
    deterministic: bool = True
    collation: str | None = None  # of a column, quoted and qualified, when it isn't the type's own
    schema: str = "pg_catalog"
    inner: Type | None = None
    ordered: bool = True
    equals: str = "="
    scales: tuple[int, ...] = ()  # the few that a numeric expression's values may have, where there are several
    whole: bool = False  # a numeric without digits after the point, but maybe infinite

    @property
    def exact(self) -> bool:
        """Equal values of this type look the same."""
        if self.inner is not None:
            return self.inner.exact and self.deterministic
        if self.schema != "pg_catalog":
            return self.kind == "e"
        if self.base == "bpchar":
            return self.typmod >= 0 and self.deterministic
        if self.base == "numeric":
            return self.scale is not None or self.whole
        return self.base in _EXACT_BASES and self.deterministic

    @property
    def composite(self) -> bool:
        """A row type, whose `IS NULL` asks for its fields."""
        return self.kind == "c" or (self.kind == "d" and self.inner is not None and self.inner.kind == "c")

    @property
    def hashed(self) -> bool:
        """Equal values have equal text whatever the session's settings: its text may choose a lock bucket."""
        return self.schema == "pg_catalog" and self.base in _HASHED_BASES and self.deterministic

    @property
    def integer(self) -> bool:
        return self.base in ("int2", "int4", "int8")

    @property
    def textual(self) -> bool:
        return self.base in _TEXT_BASES


BIGINT = Type("bigint", "int8")
INTEGER = Type("integer", "int4")
NUMERIC = Type("numeric", "numeric")
BOOLEAN = Type("boolean", "bool")
UNKNOWN = Type("unknown", "unknown", kind="p")


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column of a source table. `distinct` is how many values it has, as far as statistics know."""

    name: str
    type: Type
    not_null: bool = False
    distinct: float | None = None


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A relation that a view reads.

    `kind` is pg_class.relkind. `keys` are unique, not-null column sets, the primary key first. `indexes` are the
    leading columns of valid btree indexes. `leaves` are the partitions or inheritance descendants that hold rows, each
    (schema, name); keys and indexes then hold in all of them. `outside` names a table that is above one of them but
    isn't one: a write to it may change rows here and fires none of our triggers. `unwatched` describes a member that
    takes no triggers. `through` names the ordinary view by which the query reaches the table.
    `live` names the row-count column of a maintained table: only rows where it is positive exist; `hidden` are the
    columns of such a table that no query may name. `stands_for` is the stored table behind a SELECT-only view of ours.
    `rows` is how many there are, as the planner would guess.
    """

    schema: str
    name: str
    kind: str = "r"
    columns: tuple[ColumnInfo, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    leaves: tuple[tuple[str, str], ...] = ()
    persistence: str = "p"
    children: bool = False  # of plain inheritance, among the leaves
    outside: str = ""
    unwatched: str = ""
    through: str = ""
    readable: bool = True  # by the role that installs the view, where an ordinary view's owner reads it otherwise
    row_security: bool = False  # its policies apply to what a view reads of it
    policies: bool = False  # it has row level security, which doesn't apply to the role that installs the view
    cascaded: bool = False  # a foreign key's ON UPDATE or ON DELETE action may change its rows
    live: str | None = None
    hidden: tuple[ColumnInfo, ...] = ()
    stands_for: tuple[str, str] | None = None
    view: tuple[str, str] | None = None  # schema and name of our view that this table stores
    timed: bool = False  # a view of ours that applies a condition on the time to what it stores
    rows: float | None = None

    def column(self, name: str) -> ColumnInfo | None:
        return next((c for c in (*self.columns, *self.hidden) if c.name == name), None)


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A function that the query calls, as pg_proc has it. `kind`: f function, a aggregate, w window; `operator` is how
    its operator is written (`date <= timestamp`), when it is called through one.

    `arguments` are its declared types. Of a function of any type, `text_settings` are the settings that the text of the
    values follows with which the query calls it, `opaque` are types among them whose text follows something else.
    `within` names the ordinary view in which it is called, as the query itself names it.
    """

    name: str
    schema: str
    kind: str
    volatility: str
    returns_set: bool = False
    trusted: bool = True  # owned by the view's owner or a superuser
    operator: str = ""
    arguments: str = ""
    text_settings: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    within: str = ""


@dataclass(frozen=True, slots=True)
class TextCast:
    """A cast through text whose result isn't the same in every session. `settings` are those that it follows; None
    when it follows something else: the time, the catalogs, an unknown type's output."""

    source: str
    target: str
    settings: tuple[str, ...] | None = None
    within: str = ""


@dataclass(frozen=True, slots=True)
class ViewInfo:
    """An ordinary view that the query reads, directly or through others; it is bound as the subquery that it is."""

    schema: str
    name: str
    sql: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything the compiler may ask of a database.

    `types` maps a probe (an expression over typed NULLs, see `frontend.probes`) to its type. `views` are the ordinary
    views among the query's relations, those inside others too; `tables` holds what they read. `base_tables` are all
    tables whose writes may change the query's rows, partitions, descendants and the tables above them included; in a
    table of `mixed` no trigger may use transition tables. `casts` are those that don't give the same in every session,
    `settings` the values, where the view is defined, of all settings that can be pinned.
    """

    tables: tuple[TableInfo, ...] = ()
    functions: tuple[FunctionInfo, ...] = ()
    outputs: tuple[ColumnInfo, ...] = ()
    types: dict[str, Type] = field(default_factory=dict)
    base_tables: tuple[tuple[str, str], ...] = ()
    mixed: frozenset[tuple[str, str]] = frozenset()
    casts: tuple[TextCast, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    views: tuple[ViewInfo, ...] = ()
    user_sql: str = ""

    def table(self, schema: str, name: str) -> TableInfo | None:
        return next((t for t in self.tables if t.schema == schema and t.name == name), None)

    def view(self, schema: str | None, name: str) -> ViewInfo | None:
        """The ordinary view of that name."""
        return next((v for v in self.views if v.schema == schema and v.name == name), None)
