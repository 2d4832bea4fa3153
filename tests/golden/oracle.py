"""What no rewriting of expected output can silence: each view equals its query, and no full refresh made it so.

The query compared with is the user's own text, never what the compiler made of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db import connection

from django_ivm.compiler import Installation
from django_ivm.compiler.ir.relation import emit, subquery
from django_ivm.compiler.ir.scalar import Scalar
from django_ivm.compiler.maintenance.stores import AggregateStore, Store
from django_ivm.compiler.pg import sql as q
from django_ivm.engine.install import Compiled
from django_ivm.engine.view import View

Row = tuple[str | None, ...]


class OracleError(AssertionError):
    """A view is wrong, stale, or right for the wrong reason. Never caught, never rewritten."""


@dataclass
class Installed:
    """A view under test, with the query that the user wrote."""

    compiled: Compiled
    view: View
    alike: tuple[str, ...] = ()  # columns in which the test expects any of several equal values
    open: tuple[str, ...] = ()  # columns in which it expects any of several values

    @property
    def sql(self) -> str:
        return self.compiled.spec.sql

    @property
    def installation(self) -> Installation:
        return self.compiled.installation

    @property
    def kept(self) -> bool:
        """Writes keep the view up to date by themselves."""
        return self.installation.strategy == "incremental" and self.compiled.spec.mode == "immediate"

    @property
    def stored(self) -> str:
        """A SELECT of what a reader sees."""
        columns = ", ".join(q.ident(c.name).text for c in self.installation.columns)
        return f"SELECT {columns} FROM {self.view.table}"

    def rows(self) -> Counter[Row]:
        columns = ", ".join(f"{q.ident(c.name)}::text" for c in self.installation.columns if c.name not in self.open)
        return Counter(fetch(f"SELECT {columns} FROM {self.view.table}"))


def fetch(query: str) -> list[tuple[Any, ...]]:
    """All rows of a query without parameters."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def difference(left: str, right: str) -> list[str]:
    """Rows, as text, by which two queries differ: `< row` only left, `> row` only right."""
    one, two = (f"SELECT ivm_row::text AS r FROM ({query}\n) ivm_row" for query in (left, right))
    found = fetch(
        f"SELECT '< ' || r FROM ({one} EXCEPT ALL {two}) x UNION ALL SELECT '> ' || r FROM ({two} EXCEPT ALL {one}) y"
    )
    return sorted(text for (text,) in found)


def loose_difference(left: str, right: str, columns: list[str], alike: set[str], left_out: set[str]) -> list[str]:
    """The same, with the columns of `alike` compared by their own equality."""
    names = ", ".join(q.ident(name).text for name in columns)
    text = ", ".join(q.ident(name).text for name in columns if name not in alike | left_out)
    compared = ", ".join([f"ROW({text})::text", *(q.ident(name).text for name in columns if name in alike - left_out)])
    one, two = (f"SELECT {compared} FROM ({query}\n) r({names})" for query in (left, right))
    found = fetch(
        f"SELECT '< ' || x::text FROM ({one} EXCEPT ALL {two}) x "
        f"UNION ALL SELECT '> ' || y::text FROM ({two} EXCEPT ALL {one}) y"
    )
    return sorted(text for (text,) in found)


def check_equal(installed: Installed) -> None:
    """The view equals its query as a bag, text for text but where the test says otherwise."""
    if installed.alike or installed.open:
        columns = [c.name for c in installed.installation.columns]
        wrong = loose_difference(installed.stored, installed.sql, columns, {*installed.alike}, {*installed.open})
    else:
        wrong = difference(installed.stored, installed.sql)
    if wrong:
        raise OracleError(
            f"{installed.view.name} differs from its query (<: in the view only, >: in the query only)\n"
            + "\n".join(wrong[:20])
        )


def check_levels(installed: Installed) -> None:
    """Hidden levels and hidden columns equal their own definition: a wrong count shows before it does harm."""
    for store in installed.installation.stores:
        check_spellings(store)
        columns = [_comparable(store, name) for name in store.compared]
        stored = q.sql("SELECT {c} FROM {t}", c=columns, t=store.target).text
        wanted = q.sql("SELECT {c} FROM ({f}) ivm_fill", c=columns, f=store.fill()).text
        wrong = loose_difference(stored, wanted, [*store.compared], *_loose(installed, store))
        if wrong:
            raise OracleError(
                f"{store.table}, of {installed.view.name}, differs from its definition\n" + "\n".join(wrong[:20])
            )


def _loose(installed: Installed, store: Store) -> tuple[set[str], set[str]]:
    """Columns in which another evaluation may give an equal value, and those in which it may give any."""
    if not isinstance(store, AggregateStore):
        return set(), set()
    layout = store.layout
    alike = {name for name, _ in _inexact_keys(store)}
    alike |= {name for name, _, call in layout.extremes if not call.type.exact}
    return alike, {name for name, _ in layout.recomputed} if installed.open else set()


def _inexact_keys(store: AggregateStore) -> list[tuple[str, Scalar]]:
    return [(name, scalar) for name, scalar in store.layout.keys if not scalar.type.exact]


def check_spellings(store: Store) -> None:
    """Of keys whose equal values look different, one is stored that a row of the group has."""
    if not isinstance(store, AggregateStore):
        return
    for name, scalar in _inexact_keys(store):
        unknown = q.sql(
            'SELECT {n}::text FROM {t} WHERE {n}::text COLLATE "C" NOT IN '
            "(SELECT ({e})::text FROM {child} WHERE ({e})::text IS NOT NULL) AND {n}::text IS NOT NULL",
            n=q.ident(name), t=store.target, e=scalar.sql(), child=subquery(emit(store.child), "ivm_a"),
        )  # fmt: skip
        found = fetch(unknown.text)
        if found:
            raise OracleError(f"{store.table} shows {name} = {found[0][0]}, which no row has")


def _comparable(store: Store, name: str) -> q.Fragment:
    """Hidden sums are compared as numbers: digits after the point are added where they are shown."""
    column = next(c for c in store.columns if c.name == name)
    if isinstance(store, AggregateStore) and column.hidden and column.type.base == "numeric":
        return q.sql("trim_scale({c}) AS {c}", c=q.ident(name))
    return q.ident(name)


def full_refreshes() -> int:
    """How many times a whole level was computed anew in this transaction."""
    calls = (
        "SELECT sum(calls) FROM pg_stat_xact_user_functions "
        r"WHERE schemaname = 'django_ivm' AND funcname LIKE '%\_replace'"
    )
    ((count,),) = fetch(f"SELECT coalesce(({calls}), 0)::integer + (SELECT count(*) FROM django_ivm_refreshlog)")
    return int(count)


def count_calls() -> None:
    """Have the server count calls of functions in this transaction (needs a superuser)."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL track_functions = 'pl'")


def check(installed: list[Installed], refreshes_before: int, *, truncated: bool) -> None:
    """After a statement: every view that writes keep is right, and no full refresh made it so.

    `truncated`: the statement is a TRUNCATE, of which nothing tells the rows that went, so computing anew is the rule.
    """
    for one in installed:
        if one.kept:
            check_equal(one)
            check_levels(one)
            if marked(one) and not marked_below(one, installed):  # all else that makes it stale `refresh` looks at
                raise OracleError(f"{one.view.name} says that it is stale")
        elif not (one.alike or one.open) and difference(one.stored, one.sql) and one.view.is_fresh():
            raise OracleError(f"{one.view.name} is stale and says that it is fresh")
    if not truncated and full_refreshes() != refreshes_before:
        raise OracleError("a full refresh ran")


def marked(one: Installed) -> bool:
    """A write has marked the view stale."""
    with connection.cursor() as cursor:
        query = "SELECT EXISTS (SELECT 1 FROM django_ivm.stale WHERE view_schema = %s AND view_name = %s)"
        cursor.execute(query, (one.compiled.schema, one.view.name))
        return bool(cursor.fetchone()[0])


def marked_below(one: Installed, installed: list[Installed]) -> bool:
    """The view reads one that writes only mark: it is stale whenever that one is."""
    read = {table.view[1] for table in one.compiled.catalog.tables if table.view}
    parents = [other for other in installed if other.view.name in read]
    return any(not parent.kept or marked_below(parent, installed) for parent in parents)


def refresh(installed: list[Installed]) -> None:
    """Refresh the views that writes only mark, in order, and compare them."""
    for one in installed:
        if not one.kept:
            one.view.refresh()
    for one in installed:
        check_equal(one)
        if not one.view.is_fresh():
            raise OracleError(f"{one.view.name} says that it is stale after a refresh")


def changes(before: Counter[Row], after: Counter[Row]) -> list[str]:
    """`-1  …` and `+1  …` lines."""
    net = [(row, after[row] - before[row]) for row in before.keys() | after.keys()]
    shown = sorted((tuple((v is None, v or "") for v in row), weight, row) for row, weight in net if weight)
    return ["  ".join([f"{weight:+d}", *map(_shown, row)]) for _, weight, row in shown]


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if value and value == value.strip() else repr(value)
