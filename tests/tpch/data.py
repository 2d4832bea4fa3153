"""Random writes to the tables of TPC-H, steered to what its queries look for.

Each is one statement with its values in its text, so that a failure can be replayed. Keys change and rows go together
with the rows that refer to them, in one statement: the foreign keys of the standard do not cascade.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import tpch_data

Run = Callable[[str], list[tuple[Any, ...]]]

KEYS = {
    "region": "r_regionkey",
    "nation": "n_nationkey",
    "supplier": "s_suppkey",
    "customer": "c_custkey",
    "part": "p_partkey",
    "orders": "o_orderkey",
}
REFERENCES = {
    "region": {"nation": "n_regionkey"},
    "nation": {"supplier": "s_nationkey", "customer": "c_nationkey"},
    "supplier": {"partsupp": "ps_suppkey", "lineitem": "l_suppkey"},
    "customer": {"orders": "o_custkey"},
    "part": {"partsupp": "ps_partkey", "lineitem": "l_partkey"},
    "orders": {"lineitem": "l_orderkey"},
}
REGIONS = ("AFRICA", "AMERICA", "ASIA", "EUROPE")
NATIONS = ("BRAZIL", "CANADA", "FRANCE", "GERMANY", "SAUDI ARABIA", "CHINA")
WARES = (
    # p_brand, p_container, p_type, p_name
    ("Brand#23", "MED BOX", "PROMO BRUSHED BRASS", "forest green"),
    ("Brand#12", "SM CASE", "ECONOMY ANODIZED STEEL", "forest lace"),
    ("Brand#34", "LG BOX", "LARGE PLATED BRASS", "dim green"),
    ("Brand#45", "JUMBO PKG", "MEDIUM POLISHED TIN", "forest red"),
    ("Brand#23", "MED BAG", "SMALL BURNISHED BRASS", "lace linen"),
)
SIZES = (1, 3, 5, 9, 15, 36, 49)
ORDER_DATES = ("1993-07-15", "1993-10-20", "1994-03-01", "1995-03-14", "1995-09-09", "1996-02-02", "1997-01-01")
QUANTITIES = (1, 2, 5, 11, 23, 24, 45, 50)


def tables_of(query: str) -> list[str]:
    """The tables that a query reads."""
    return [table for table in tpch_data.TABLES if re.search(rf"\b{table}\b", query)]


class Writer:
    """Draws statements; ``run`` only reads, to find rows that exist."""

    def __init__(self, run: Run, rng: random.Random) -> None:
        self.run = run
        self.rng = rng
        self.fresh = 1_000_000

    def __call__(self, table: str) -> str:
        """A statement that writes a table, and maybe others."""
        kinds: dict[str, list[Callable[[], str]]] = {
            "region": [self.region],
            "nation": [self.nation],
            "supplier": [self.supplier, self.new_supplier],
            "customer": [self.customer, self.new_customer],
            "part": [self.part, self.new_part],
            "partsupp": [self.partsupp, self.partsupp_rows],
            "orders": [self.orders, self.orders, self.new_orders],
            "lineitem": [self.lineitem, self.lineitem, self.lineitem, self.lineitem_rows, self.moved_lines],
        }
        if table in KEYS and self.rng.random() < 0.3:
            return self.rng.choice([self.rekey, self.leave])(table)
        return self.rng.choice(kinds[table])()

    # Values

    def one(self, table: str) -> int:
        """A key that exists."""
        key = KEYS[table]
        ((count,),) = self.run(f"SELECT count(*) FROM {table}")
        ((found,),) = self.run(f"SELECT {key} FROM {table} ORDER BY 1 LIMIT 1 OFFSET {self.rng.randrange(count)}")
        return int(found)

    def new(self) -> int:
        self.fresh += 1
        return self.fresh

    def few(self, table: str) -> str:
        """A condition that holds for one row, for a few or for a share of the table."""
        key = KEYS[table]
        kind = self.rng.randrange(3)
        if kind == 0:
            return f"{key} = {self.one(table)}"
        if kind == 1:
            return f"{key} IN ({', '.join(str(self.one(table)) for _ in range(4))})"
        every = self.rng.choice((7, 31))
        return f"{key} % {every} = {self.rng.randrange(every)}"

    def money(self) -> str:
        return f"{self.rng.randrange(-99_999, 1_000_000) / 100:.2f}"

    def pick(self, *values: object) -> str:
        return f"'{self.rng.choice(values)}'"

    def nations(self) -> str:
        """The key of a nation, of one that queries name if possible."""
        names = ", ".join(f"'{n}'" for n in NATIONS)
        keys = self.run(f"SELECT n_nationkey FROM nation WHERE n_name IN ({names}) ORDER BY 1")
        return str(self.rng.choice(keys)[0] if keys else self.one("nation"))

    # Rows whose key others refer to

    def rekey(self, table: str) -> str:
        """A row gets another key, and the rows that refer to it follow."""
        old, new = self.one(table), self.new()
        moves = [f"UPDATE {t} SET {c} = {new} WHERE {c} = {old}" for t, c in REFERENCES[table].items()]
        return self.together(moves, f"UPDATE {table} SET {KEYS[table]} = {new} WHERE {KEYS[table]} = {old}")

    def leave(self, table: str) -> str:
        """A row goes: those that refer to it go too, or to another row where they would be too many."""
        old, other = self.one(table), self.one(table)
        last = f"DELETE FROM {table} WHERE {KEYS[table]} = {old}"
        if table in ("region", "nation"):
            if old == other:
                return self.rekey(table)
            return self.together(
                [f"UPDATE {t} SET {c} = {other} WHERE {c} = {old}" for t, c in REFERENCES[table].items()], last
            )
        moves = [f"DELETE FROM {t} WHERE {c} = {old}" for t, c in REFERENCES[table].items()]
        if table == "customer":
            lines = f"l_orderkey IN (SELECT o_orderkey FROM orders WHERE o_custkey = {old})"
            moves.insert(0, f"DELETE FROM lineitem WHERE {lines}")
        return self.together(moves, last)

    def together(self, parts: list[str], last: str) -> str:
        """One statement that does all; foreign keys are checked at its end."""
        return f"WITH {', '.join(f'x{i} AS ({part})' for i, part in enumerate(parts))} {last}"

    # Each table

    def region(self) -> str:
        key = self.one("region")
        if self.rng.random() < 0.3:
            new = self.new()
            return self.together(
                [f"INSERT INTO region VALUES ({new}, {self.pick(*REGIONS)}, '')"],
                f"UPDATE nation SET n_regionkey = {new} WHERE n_nationkey = {self.one('nation')}",
            )
        return f"UPDATE region SET r_name = {self.pick(*REGIONS)} WHERE r_regionkey = {key}"

    def nation(self) -> str:
        where = f"n_nationkey = {self.one('nation')}"
        new = self.new()
        return self.rng.choice(
            [
                f"UPDATE nation SET n_name = {self.pick(*NATIONS)} WHERE {where}",
                f"UPDATE nation SET n_regionkey = {self.one('region')} WHERE {self.few('nation')}",
                self.together(
                    [
                        f"INSERT INTO nation VALUES ({new}, {self.pick(*NATIONS)}, {self.one('region')}, '')",
                        f"UPDATE customer SET c_nationkey = {new} WHERE {self.few('customer')}",
                    ],
                    f"UPDATE supplier SET s_nationkey = {new} WHERE {self.few('supplier')}",
                ),
            ]
        )

    def supplier(self) -> str:
        change = self.rng.choice(
            [
                f"s_nationkey = {self.nations()}",
                f"s_nationkey = {self.nations()}, s_acctbal = {self.money()}",
                f"s_comment = {self.pick('Customer of Complaints', 'plain')}",
                f"s_acctbal = {self.money()}",
                f"s_name = {self.pick('Supplier A', 'Supplier B')}",
                "s_phone = '0', s_address = 'here'",
            ]
        )
        return f"UPDATE supplier SET {change} WHERE {self.few('supplier')}"

    def new_supplier(self) -> str:
        key = self.new()
        comment = self.pick("Customer Complaints", "plain")
        return self.together(
            [
                f"INSERT INTO supplier VALUES ({key}, 'Supplier {key}', 'a', {self.nations()}, '1', {self.money()}, "
                f"{comment})"
            ],
            f"INSERT INTO partsupp SELECT p_partkey, {key}, p_size * 100, {self.rng.randrange(1, 90)}, '' FROM part "
            f"WHERE {self.few('part')}",
        )

    def customer(self) -> str:
        change = self.rng.choice(
            [
                f"c_mktsegment = {self.pick('BUILDING', 'MACHINERY')}",
                f"c_nationkey = {self.nations()}",
                f"c_phone = {self.pick('13-1', '31-1', '23-1', '99-1')}",
                f"c_acctbal = {self.money()}",
                "c_acctbal = -c_acctbal",
                f"c_name = {self.pick('A', 'B')}, c_address = 'here', c_comment = 'changed'",
            ]
        )
        return f"UPDATE customer SET {change} WHERE {self.few('customer')}"

    def new_customer(self) -> str:
        rows = [
            f"({self.new()}, 'Customer', 'a', {self.nations()}, {self.pick('13-2', '17-2', '50-2')}, {self.money()}, "
            "'BUILDING', '')"
            for _ in range(self.rng.randrange(1, 4))
        ]
        return f"INSERT INTO customer VALUES {', '.join(rows)}"

    def part(self) -> str:
        brand, container, kind, name = self.rng.choice(WARES)
        change = self.rng.choice(
            [
                f"p_brand = '{brand}', p_container = '{container}', p_size = {self.rng.choice(SIZES)}",
                f"p_type = '{kind}', p_size = 15",
                f"p_name = '{name}'",
                f"p_brand = '{brand}', p_type = '{kind}', p_name = '{name}', p_size = p_size + 1",
                f"p_mfgr = {self.pick('A', 'B')}",
            ]
        )
        return f"UPDATE part SET {change} WHERE {self.few('part')}"

    def new_part(self) -> str:
        brand, container, kind, name = self.rng.choice(WARES)
        key = self.new()
        row = f"{key}, '{name}', 'm', '{brand}', '{kind}', {self.rng.choice(SIZES)}, '{container}', 10, ''"
        return self.together(
            [f"INSERT INTO part VALUES ({row})"],
            f"INSERT INTO partsupp SELECT {key}, s_suppkey, 5, 1 + s_suppkey % 7, '' FROM supplier "
            f"WHERE {self.few('supplier')}",
        )

    def partsupp(self) -> str:
        change = self.rng.choice(
            [
                f"ps_supplycost = {self.rng.randrange(100, 9000) / 100}",
                "ps_supplycost = ps_supplycost + 1",
                f"ps_availqty = {self.rng.choice((0, 1, 40, 9999))}",
            ]
        )
        where = self.rng.choice(
            [self.few("part").replace("p_", "ps_"), self.few("supplier").replace("s_suppkey", "ps_suppkey")]
        )
        return f"UPDATE partsupp SET {change} WHERE {where}"

    def partsupp_rows(self) -> str:
        part, supplier = self.one("part"), self.one("supplier")
        free = f"NOT EXISTS (SELECT FROM partsupp WHERE ps_partkey = {part} AND ps_suppkey = {supplier})"
        mine = f"ps_partkey = {part} AND ps_suppkey = (SELECT min(ps_suppkey) FROM partsupp WHERE ps_partkey = {part})"
        its_lines = mine.replace("ps_partkey =", "l_partkey =", 1).replace("ps_suppkey =", "l_suppkey =", 1)
        return self.rng.choice(
            [
                f"INSERT INTO partsupp SELECT {part}, {supplier}, 30, 1.5, '' WHERE {free}",
                self.together([f"DELETE FROM lineitem WHERE {its_lines}"], f"DELETE FROM partsupp WHERE {mine}"),
                self.together(
                    [f"UPDATE lineitem SET l_suppkey = {supplier} WHERE {its_lines} AND {free}"],
                    f"UPDATE partsupp SET ps_suppkey = {supplier} WHERE {mine} AND {free}",
                ),
            ]
        )

    def orders(self) -> str:
        change = self.rng.choice(
            [
                f"o_orderdate = {self.pick(*ORDER_DATES)}",
                "o_orderdate = o_orderdate + 100",
                f"o_orderpriority = {self.pick('1-URGENT', '2-HIGH', '5-LOW')}",
                f"o_orderstatus = {self.pick('F', 'O')}",
                f"o_comment = {self.pick('special or no requests', 'none')}",
                f"o_custkey = {self.one('customer')}",
                f"o_totalprice = {self.money()}, o_shippriority = 1 - o_shippriority",
            ]
        )
        return f"UPDATE orders SET {change} WHERE {self.few('orders')}"

    def new_orders(self) -> str:
        key, source = self.new(), self.one("orders")
        order = (
            f"INSERT INTO orders SELECT {key}, {self.one('customer')}, 'F', o_totalprice + 1, "
            f"{self.pick(*ORDER_DATES)}, o_orderpriority, o_clerk, 0, o_comment FROM orders WHERE o_orderkey = {source}"
        )
        if self.rng.random() < 0.3:
            return order
        return self.together([order], self.clone_lines(key, source))

    def clone_lines(self, key: int, source: int) -> str:
        return (
            f"INSERT INTO lineitem SELECT {key}, l_partkey, l_suppkey, l_linenumber, {self.rng.choice(QUANTITIES)}, "
            "l_extendedprice, 0.06, l_tax, 'R', 'F', l_shipdate, l_shipdate + 5, l_shipdate + 9, l_shipinstruct, "
            f"'MAIL', 'clone' FROM lineitem WHERE l_orderkey = {source}"
        )

    def lineitem(self) -> str:
        change = self.rng.choice(
            [
                f"l_quantity = {self.rng.choice(QUANTITIES)}",
                "l_quantity = 50 - l_quantity, l_extendedprice = l_extendedprice + 0.01",
                f"l_discount = {self.rng.choice(('0.05', '0.06', '0.10'))}, l_tax = 0",
                f"l_returnflag = {self.pick('R', 'A')}, l_linestatus = {self.pick('F', 'O')}",
                f"l_shipdate = {self.pick(*ORDER_DATES)}",
                "l_shipdate = l_shipdate - 200, l_commitdate = l_shipdate - 190, l_receiptdate = l_shipdate - 180",
                "l_commitdate = l_receiptdate, l_receiptdate = l_commitdate",
                f"l_shipmode = {self.pick('AIR', 'MAIL', 'SHIP')}, l_shipinstruct = 'DELIVER IN PERSON'",
            ]
        )
        return f"UPDATE lineitem SET {change} WHERE {self.lines()}"

    def lines(self) -> str:
        by = self.rng.choice(["orders", "orders", "part", "supplier"])
        return self.few(by).replace(KEYS[by], f"l_{KEYS[by].partition('_')[2]}")

    def lineitem_rows(self) -> str:
        source = self.one("orders")
        every = self.rng.choice((2, 3))
        upsert = self.clone_lines(source, self.one("orders"))
        return self.rng.choice(
            [
                f"DELETE FROM lineitem WHERE {self.lines()} AND l_linenumber % {every} = 0",
                f"DELETE FROM lineitem WHERE l_orderkey = {source}",
                f"{upsert} ON CONFLICT (l_orderkey, l_linenumber) DO UPDATE SET l_quantity = excluded.l_quantity, "
                "l_partkey = excluded.l_partkey, l_suppkey = excluded.l_suppkey",
            ]
        )

    def moved_lines(self) -> str:
        """Lines go to another order, or to another part and supplier."""
        if self.rng.random() < 0.5:
            return (
                f"UPDATE lineitem SET l_orderkey = {self.one('orders')}, l_linenumber = l_linenumber + {self.new()} "
                f"WHERE l_orderkey = {self.one('orders')}"
            )
        part = self.one("part")
        return (
            f"UPDATE lineitem SET l_partkey = ps_partkey, l_suppkey = ps_suppkey FROM partsupp WHERE {self.lines()} "
            f"AND ps_partkey = {part} AND ps_suppkey = (SELECT max(ps_suppkey) FROM partsupp WHERE ps_partkey = {part})"
        )


def writes(query: str, run: Run, rng: random.Random, more: int) -> Iterator[str]:
    """Statements over all eight tables, ``more`` of them over those that the query reads."""
    writer = Writer(run, rng)
    read = tables_of(query)
    tables = [*tpch_data.TABLES, *(rng.choice(read) for _ in range(more))]
    rng.shuffle(tables)
    for table in tables:
        yield writer(table)
