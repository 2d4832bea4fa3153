"""For each query a line of an order that its result rests on, and small writes around that line.

A write that a filter stops at once would show nothing of what maintenance costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import tpch_data

Run = Callable[[str], list[tuple[Any, ...]]]

# What a line has to be for the query to count it; where only the first rows are kept, one of theirs.
HITS = {
    "q01": "l_shipdate < '1998-01-01'",
    "q02": "(p_partkey, s_name) IN (SELECT p_partkey, s_name FROM ({query}) q)",
    "q03": "o_orderkey IN (SELECT l_orderkey FROM ({query}) q) AND l_shipdate > '1995-03-15'",
    "q04": "o_orderdate BETWEEN '1993-07-01' AND '1993-09-30' AND l_commitdate < l_receiptdate "
    "AND NOT EXISTS (SELECT FROM lineitem o WHERE o.l_orderkey = l.l_orderkey AND o.l_linenumber <> l.l_linenumber)",
    "q05": "c_nationkey = s_nationkey AND r.r_name = 'ASIA' AND o_orderdate BETWEEN '1994-01-01' AND '1994-12-31'",
    "q06": "l_shipdate BETWEEN '1994-01-01' AND '1994-12-31' AND l_discount = 0.06 AND l_quantity < 24",
    "q07": "n.n_name = 'FRANCE' AND cn.n_name = 'GERMANY' AND l_shipdate BETWEEN '1995-01-01' AND '1996-12-31'",
    "q08": "p_type = 'ECONOMY ANODIZED STEEL' AND cr.r_name = 'AMERICA' AND n.n_name = 'BRAZIL' "
    "AND o_orderdate BETWEEN '1995-01-01' AND '1996-12-31'",
    "q09": "p_name LIKE '%green%'",
    "q10": "c_custkey IN (SELECT c_custkey FROM ({query}) q) AND l_returnflag = 'R' "
    "AND o_orderdate BETWEEN '1993-10-01' AND '1993-12-31'",
    "q11": "n.n_name = 'GERMANY' AND ps_partkey IN (SELECT ps_partkey FROM ({query}) q)",
    "q12": "l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate AND l_shipdate < l_commitdate "
    "AND l_receiptdate BETWEEN '1994-01-01' AND '1994-12-31'",
    "q13": "o_comment NOT LIKE '%special%requests%'",
    "q14": "p_type LIKE 'PROMO%' AND l_shipdate BETWEEN '1995-09-01' AND '1995-09-30'",
    "q15": "s_suppkey IN (SELECT s_suppkey FROM ({query}) q) AND l_shipdate BETWEEN '1996-01-01' AND '1996-03-31'",
    "q16": "p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%' AND p_size = 9 "
    "AND s_comment NOT LIKE '%Customer%Complaints%'",
    "q17": "p_brand = 'Brand#23' AND p_container = 'MED BOX' "
    "AND l_quantity < (SELECT 0.2 * avg(o.l_quantity) FROM lineitem o WHERE o.l_partkey = p_partkey)",
    "q18": "o_orderkey IN (SELECT o_orderkey FROM ({query}) q)",
    "q19": "p_brand = 'Brand#12' AND p_container = 'SM CASE' AND p_size < 5 AND l_quantity BETWEEN 1 AND 11 "
    "AND l_shipmode = 'AIR' AND l_shipinstruct = 'DELIVER IN PERSON'",
    "q20": "n.n_name = 'CANADA' AND p_name LIKE 'forest%' AND ps_availqty BETWEEN 1 + 0.5 * "
    "(SELECT sum(l_quantity) FROM lineitem o WHERE o.l_partkey = p_partkey AND o.l_suppkey = s_suppkey "
    "AND o.l_shipdate BETWEEN '1994-01-01' AND '1994-12-31') AND 20 AND l_shipdate BETWEEN '1994-01-01' AND '1994-12-31' "
    "AND 1 = (SELECT count(*) FROM partsupp o WHERE o.ps_suppkey = s_suppkey "
    "AND o.ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%') AND o.ps_availqty > "
    "(SELECT 0.5 * sum(l_quantity) FROM lineitem WHERE l_partkey = o.ps_partkey AND l_suppkey = o.ps_suppkey "
    "AND l_shipdate BETWEEN '1994-01-01' AND '1994-12-31'))",
    "q21": "n.n_name = 'SAUDI ARABIA' AND l_receiptdate > l_commitdate AND o_orderstatus = 'F' "
    "AND EXISTS (SELECT FROM lineitem o WHERE o.l_orderkey = l.l_orderkey AND o.l_suppkey <> l.l_suppkey) "
    "AND NOT EXISTS (SELECT FROM lineitem o WHERE o.l_orderkey = l.l_orderkey AND o.l_suppkey <> l.l_suppkey "
    "AND o.l_receiptdate > o.l_commitdate)",
    "q22": "c_phone LIKE '13%' AND c_acctbal > 8000 AND o_orderkey IS NULL",
}

_FIND = """
SELECT c_custkey AS customer, coalesce(o_orderkey, 1) AS "order", coalesce(l_linenumber, 1) AS line,
       coalesce(p_partkey, 1) AS part, coalesce(s_suppkey, 1) AS supplier, coalesce(n.n_nationkey, 1) AS nation,
       cn.n_nationkey AS other_nation, coalesce(r.r_regionkey, 1) AS region, cr.r_regionkey AS other_region
FROM customer
JOIN nation cn ON cn.n_nationkey = c_nationkey
JOIN region cr ON cr.r_regionkey = cn.n_regionkey
LEFT JOIN orders ON o_custkey = c_custkey
LEFT JOIN lineitem l ON l_orderkey = o_orderkey
LEFT JOIN partsupp ON ps_partkey = l_partkey AND ps_suppkey = l_suppkey
LEFT JOIN part ON p_partkey = ps_partkey
LEFT JOIN supplier ON s_suppkey = ps_suppkey
LEFT JOIN nation n ON n.n_nationkey = s_nationkey
LEFT JOIN region r ON r.r_regionkey = n.n_regionkey
WHERE {hit}
ORDER BY o_orderkey, l_linenumber
LIMIT 1
"""
_KEYS = ("customer", "order", "line", "part", "supplier", "nation", "other_nation", "region", "other_region")
_LINE = "l_orderkey = {order} AND l_linenumber = {line}"
_NEW = 99_000_000
_ORDER = f"o_orderkey + {_NEW}, o_custkey, o_orderstatus, o_totalprice + 1, o_orderdate, o_orderpriority, o_clerk"
_LINES = (
    f"l_orderkey + {_NEW}, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax, "
    "l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, l_shipinstruct, l_shipmode, l_comment"
)

Write = tuple[tuple[str, ...], tuple[str, ...]]
"""The tables that it changes, and its statements."""

WRITES: dict[str, Write] = {
    "an order and its lines come": (
        ("orders", "lineitem"),
        (
            f"INSERT INTO orders SELECT {_ORDER}, o_shippriority, o_comment FROM orders WHERE o_orderkey = {{order}}",
            f"INSERT INTO lineitem SELECT {_LINES} FROM lineitem WHERE l_orderkey = {{order}}",
        ),
    ),
    "an order and its lines go": (
        ("orders", "lineitem"),
        ("DELETE FROM lineitem WHERE l_orderkey = {order}", "DELETE FROM orders WHERE o_orderkey = {order}"),
    ),
    "both in a statement": (
        ("orders", "lineitem"),
        ("WITH l AS (DELETE FROM lineitem WHERE l_orderkey = {order}) DELETE FROM orders WHERE o_orderkey = {order}",),
    ),
    "a line": (("lineitem",), (f"UPDATE lineitem SET l_quantity = 49, l_extendedprice = 90 WHERE {_LINE}",)),
    "a line's dates": (
        ("lineitem",),
        (f"UPDATE lineitem SET l_shipdate = '1992-01-03', l_receiptdate = l_commitdate WHERE {_LINE}",),
    ),
    "a line goes": (("lineitem",), (f"DELETE FROM lineitem WHERE {_LINE}",)),
    "an order": (("orders",), ("UPDATE orders SET o_orderdate = '1992-01-01', o_orderstatus = 'P' WHERE o_orderkey = {order}",)),
    "an order's priority": (
        ("orders",),
        ("UPDATE orders SET o_orderpriority = 'none', o_comment = 'special requests' WHERE o_orderkey = {order}",),
    ),
    "an order changes hands": (("orders",), ("UPDATE orders SET o_custkey = {customer} WHERE o_orderkey = 7",)),
    "a customer": (
        ("customer",),
        (
            "UPDATE customer SET c_mktsegment = 'none', c_acctbal = c_acctbal - 9, c_name = 'another', "
            "c_nationkey = (SELECT max(n_nationkey) FROM nation WHERE n_regionkey <> {other_region}) WHERE c_custkey = {customer}",
        ),
    ),
    "a customer comes": (
        ("customer",),
        (f"INSERT INTO customer VALUES ({_NEW}, 'new', 'a', {{nation}}, '13-1', 9999, 'BUILDING', '')",),
    ),
    "a supplier": (
        ("supplier",),
        (
            "UPDATE supplier SET s_nationkey = (SELECT max(n_nationkey) FROM nation WHERE n_nationkey <> s_nationkey), "
            "s_acctbal = 1, s_name = 'another', s_comment = 'Customer Complaints' WHERE s_suppkey = {supplier}",
        ),
    ),
    "a part": (
        ("part",),
        (
            "UPDATE part SET p_brand = 'none', p_container = 'none', p_size = 99, p_type = 'none', p_name = 'none' "
            "WHERE p_partkey = {part}",
        ),
    ),
    "an offer": (
        ("partsupp",),
        (
            "UPDATE partsupp SET ps_supplycost = ps_supplycost + 900, ps_availqty = 0 "
            "WHERE ps_partkey = {part} AND ps_suppkey = {supplier}",
        ),
    ),
    "an offer goes": (
        ("partsupp",),
        (
            "WITH l AS (DELETE FROM lineitem WHERE l_partkey = {part} AND l_suppkey = {supplier}) "
            "DELETE FROM partsupp WHERE ps_partkey = {part} AND ps_suppkey = {supplier}",
        ),
    ),
    "nations": (
        ("nation",),
        (
            "UPDATE nation SET n_name = 'none', n_regionkey = (SELECT max(r_regionkey) FROM region "
            "WHERE r_regionkey <> n_regionkey) WHERE n_nationkey IN ({nation}, {other_nation})",
        ),
    ),
    "regions": (("region",), ("UPDATE region SET r_name = 'none' WHERE r_regionkey IN ({region}, {other_region})",)),
}  # fmt: skip


def find(name: str, run: Run) -> dict[str, int] | None:
    """The keys of a row of each table on which the result of a query rests; None where it has none."""
    found = run(_FIND.format(hit=HITS[name].format(query=tpch_data.query(name))))
    return dict(zip(_KEYS, found[0], strict=True)) if found else None
