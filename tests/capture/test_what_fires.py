"""Every way in which Django and PostgreSQL change rows, and the view after each."""

from __future__ import annotations

import datetime
import io
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal

import pgtrigger
import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F

from tests.engine.area import Area
from tests.shop.models import Customer, Item, Nation, Order, Product, Region

VIEWS = {
    "per_customer": "SELECT customer_id, count(*) AS n, sum(amount) AS s, max(placed) AS last FROM "
    "shop_order "
    "GROUP BY customer_id",
    "per_nation": "SELECT n.name, count(*) AS orders, sum(o.amount) AS s FROM shop_order o "
    "JOIN shop_customer c ON c.id = o.customer_id JOIN shop_nation n ON n.id = c.nation_id GROUP BY n.name",
    "lines": "SELECT i.id, i.quantity, i.price, o.status, c.segment FROM shop_item i JOIN shop_order o "
    "ON o.id = i.order_id JOIN shop_customer c ON c.id = o.customer_id",
    "amounts": "SELECT status, amount FROM shop_order",
    "statuses": "SELECT DISTINCT status FROM shop_order",
    "segments": "SELECT segment, count(*) AS n, bool_and(active) AS active, avg(credit) AS credit FROM "
    "shop_customer "
    "GROUP BY segment",
    "pairs": "SELECT l.id AS l, r.id AS r FROM shop_customer l JOIN shop_customer r ON l.nation_id = "
    "r.nation_id "
    "AND l.id < r.id",
}
NOON = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)


@pytest.fixture
def emptied(transactional_db: None) -> Iterator[None]:
    """The shop's tables are emptied afterwards, when the area's views are gone."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE shop_region, shop_nation, shop_customer, shop_product, shop_order, shop_item")


@pytest.fixture
def shop(emptied: None, area: Area) -> Area:
    """Views over a filled shop; none of them may be computed anew."""
    europe, asia = Region.objects.create(name="Europe"), Region.objects.create(name="Asia")
    nations = [Nation.objects.create(region=r, name=n) for r, n in ((europe, "fr"), (europe, "it"), (asia, "jp"))]
    people = [
        Customer.objects.create(nation=nations[i % 3], name=f"c{i}", segment=(None, "retail")[i % 2], credit=i)
        for i in range(6)
    ]
    product = Product.objects.create(sku="p", name="p", price=3)
    for i in range(12):
        order = Order.objects.create(customer=people[i % 5], placed=NOON, amount=10 * i, status=("open", "paid")[i % 2])
        for j in range(i % 3):
            Item.objects.create(order=order, product=product, quantity=j, price=Decimal("1.50"))
    for name, query in VIEWS.items():
        area.view(name, query)
    area.check()
    area.forbid_recompute()
    return area


def _create() -> None:
    order = Order.objects.create(customer=Customer.objects.first(), placed=NOON, amount=7)
    order.amount = 8
    order.save()
    order.note = "a column that no view reads"
    order.save(update_fields=["note"])
    order.customer = Customer.objects.last()
    order.save()
    order.delete()


def _bulk_create() -> None:
    ann = Customer.objects.first()
    Order.objects.bulk_create([Order(customer=ann, placed=NOON, amount=i) for i in range(5)])
    Order.objects.bulk_create([Order(customer=ann, placed=NOON, amount=i) for i in range(5)], batch_size=2)


def _update() -> None:
    assert Order.objects.filter(pk=-1).update(amount=1) == 0
    Order.objects.filter(status="open").update(amount=F("amount") + 1, status="paid")
    Order.objects.filter(amount__gt=50).update(customer=Customer.objects.last())
    Customer.objects.update(nation=Nation.objects.first())
    Nation.objects.update(name=F("name"))
    Nation.objects.filter(name="it").update(name="fr")


def _bulk_update() -> None:
    orders = list(Order.objects.all())
    for i, order in enumerate(orders):
        order.amount = i
        order.customer_id = orders[0].customer_id
    Order.objects.bulk_update(orders, ["amount", "customer"], batch_size=4)


def _upsert() -> None:
    products = [Product(sku=s, name=s, price=1) for s in ("p", "q")]
    Product.objects.bulk_create(products, update_conflicts=True, unique_fields=["sku"], update_fields=["price"])
    first = Order.objects.first()
    rows = [
        Order(pk=pk, customer=first.customer, placed=NOON, amount=amount) for pk, amount in ((first.pk, 99), (9999, 5))
    ]
    Order.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=["amount"])
    Order.objects.update_or_create(pk=9999, defaults={"amount": 6})
    Order.objects.get_or_create(pk=9998, defaults={"customer": first.customer, "placed": NOON, "amount": 1})


def _ignore_conflicts() -> None:
    first = Order.objects.first()
    again = Order(pk=first.pk, customer=first.customer, placed=NOON, amount=1)
    Order.objects.bulk_create([again], ignore_conflicts=True)
    Order.objects.bulk_create([again, Order(pk=9999, customer=first.customer, placed=NOON)], ignore_conflicts=True)


def _delete_cascade() -> None:
    Customer.objects.first().delete()
    Order.objects.filter(status="paid").delete()
    Nation.objects.first().delete()  # sets customers' nation to NULL
    Region.objects.all().delete()


def _raw_delete() -> None:
    Item.objects.all()._raw_delete("default")


def _savepoints() -> None:
    with transaction.atomic():
        Order.objects.update(amount=F("amount") + 1)
        with pytest.raises(IntegrityError), transaction.atomic():
            Order.objects.update(amount=5)
            Product.objects.create(sku="p", name="twice", price=1)
        Order.objects.filter(status="open").update(amount=2)


def _rolled_back() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        Order.objects.all().delete()
        raise RuntimeError


@pytest.mark.parametrize(
    "action",
    [
        _create, _bulk_create, _update, _bulk_update, _upsert, _ignore_conflicts, _delete_cascade, _raw_delete,
        _savepoints, _rolled_back,
    ],
    ids=lambda action: action.__name__.strip("_"),
)  # fmt: skip
@pytest.mark.parametrize("atomic", [False, True], ids=["autocommit", "atomic"])
def test_django(shop: Area, action: Callable[[], None], atomic: bool) -> None:
    before = {
        name: shop.run(f"SELECT count(*), md5(string_agg(r::text, ',' ORDER BY r::text)) FROM {name} r")
        for name in VIEWS
    }
    if atomic:
        with transaction.atomic():
            action()
            shop.check()
    else:
        action()
    shop.check()
    after = {
        name: shop.run(f"SELECT count(*), md5(string_agg(r::text, ',' ORDER BY r::text)) FROM {name} r")
        for name in VIEWS
    }
    unchanged = action in (_rolled_back, _create)
    assert (before == after) is unchanged


def test_ignored_triggers(shop: Area) -> None:
    """`pgtrigger.ignore()` skips every trigger that pgtrigger knows, but none of ours."""
    uri = "shop.Order:set_note"
    func = "NEW.note = 'seen'; RETURN NEW;"
    own = pgtrigger.Trigger(name="set_note", when=pgtrigger.Before, operation=pgtrigger.Update, func=func)
    own.register(Order)
    own.install(Order)
    try:
        with pgtrigger.ignore():
            Order.objects.update(amount=F("amount") + 1)
            Customer.objects.update(segment="all")
        assert not Order.objects.filter(note="seen").exists()
        shop.check()
        with pgtrigger.ignore(uri), transaction.atomic():
            Order.objects.filter(status="open").update(amount=0)
        shop.check()
        Order.objects.update(amount=F("amount") + 1)
        assert Order.objects.filter(note="seen").exists()
        shop.check()
    finally:
        own.uninstall(Order)
        own.unregister(Order)
    assert shop.value("SELECT n FROM segments") == Customer.objects.count()


RAW = (
    "INSERT INTO shop_order (customer_id, status, placed, amount) SELECT customer_id, 'paid', placed, "
    "amount * 2 FROM shop_order",
    "UPDATE shop_order SET amount = amount + 1 WHERE false",
    "UPDATE shop_order SET note = 'unread'",
    "UPDATE shop_order SET amount = amount",
    "UPDATE shop_order o SET amount = c.credit, customer_id = c.id FROM shop_customer c WHERE c.id = "
    "o.customer_id + 1",
    "WITH d AS (DELETE FROM shop_item WHERE quantity = 0 RETURNING order_id) UPDATE shop_order SET status "
    "= 'cancelled' "
    "WHERE id IN (SELECT order_id FROM d)",
    "WITH i AS (INSERT INTO shop_order (customer_id, status, placed, amount) SELECT min(id), 'open', "
    "now(), 1 FROM shop_customer "
    "RETURNING id) INSERT INTO shop_item (order_id, quantity) SELECT id, 5 FROM i",
    "WITH a AS (INSERT INTO shop_order (customer_id, status, placed, amount) SELECT min(id), 'x', now(), 1 "
    "FROM shop_customer), "
    "b AS (INSERT INTO shop_order (customer_id, status, placed, amount) SELECT max(id), 'x', now(), 2 FROM "
    "shop_customer) "
    "INSERT INTO shop_order (customer_id, status, placed, amount) SELECT min(id), 'y', now(), 3 FROM "
    "shop_customer",
    "WITH d AS (DELETE FROM shop_order WHERE status = 'open' AND id NOT IN (SELECT order_id FROM "
    "shop_item)), "
    "c AS (UPDATE shop_customer SET segment = 'moved', nation_id = (SELECT max(id) FROM shop_nation)) "
    "UPDATE shop_nation SET name = name || '!'",
    "MERGE INTO shop_order o USING (SELECT id, customer_id FROM shop_order UNION ALL SELECT "
    "coalesce(max(id), 0) + 1, (SELECT min(id) FROM shop_customer) FROM shop_order) s "
    "ON o.id = s.id WHEN MATCHED AND o.amount < 20 AND o.id NOT IN (SELECT order_id FROM shop_item) THEN "
    "DELETE "
    "WHEN MATCHED THEN UPDATE SET amount = o.amount + 1 "
    "WHEN NOT MATCHED THEN INSERT (id, customer_id, status, placed, amount) VALUES (s.id, s.customer_id, "
    "'new', now(), 1)",
    "INSERT INTO shop_order (id, customer_id, status, placed, amount) SELECT id, customer_id, 'up', "
    "placed, 1 FROM shop_order "
    "UNION ALL SELECT coalesce(max(id), 0) + 1, (SELECT min(id) FROM shop_customer), 'in', now(), 1 FROM "
    "shop_order ON CONFLICT (id) DO UPDATE SET amount = 55, status = 'up'",
)  # fmt: skip


@pytest.mark.parametrize("statement", RAW, ids=[f"{i} {s[:40]}" for i, s in enumerate(RAW)])
def test_raw_statements(shop: Area, statement: str) -> None:
    shop.step(statement)
    with transaction.atomic():
        shop.step("DELETE FROM shop_item")
        shop.step(statement)
    shop.check()


def test_copy(shop: Area) -> None:
    customer = Customer.objects.first().pk
    for count in (3, 500):  # below and above what is kept in a setting
        command = "COPY shop_order (customer_id, status, placed, amount) FROM STDIN"
        with shop.connect() as session, session.cursor() as cursor, cursor.copy(command) as copy:
            for i in range(count):
                copy.write_row((customer, "copied", NOON, i))
        shop.check()


def test_copy_that_fails_half_way(shop: Area) -> None:
    customer = Customer.objects.first().pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE shop_order SET amount = amount + 1")
        command = "COPY shop_order (customer_id, status, placed, amount) FROM STDIN"
        refused = pytest.raises((DatabaseError, psycopg.Error), match="invalid input syntax")
        with refused, transaction.atomic(), cursor.copy(command) as copy:
            copy.write(f"{customer}\topen\t2024-01-01\t1\n{customer}\topen\tbad\t1\n")
        cursor.execute("DELETE FROM shop_item WHERE quantity = 1")
        shop.check()
    shop.check()


def test_truncate_flush_and_loaddata(emptied: None, area: Area) -> None:
    region = Region.objects.create(name="Europe")
    Customer.objects.create(nation=Nation.objects.create(region=region, name="fr"), name="Ann")
    Order.objects.create(customer=Customer.objects.get(), placed=NOON, amount=4)
    for name, query in VIEWS.items():
        area.view(name, query)
    dumped = io.StringIO()
    call_command("dumpdata", "shop.Region", "shop.Nation", "shop.Customer", "shop.Order", stdout=dumped)
    area.step("TRUNCATE shop_item")
    area.step("TRUNCATE shop_order, shop_item")
    Order.objects.create(customer=Customer.objects.get(), placed=NOON, amount=4)
    area.step("TRUNCATE shop_customer CASCADE")
    assert area.value("SELECT count(*) FROM per_customer") == 0
    call_command("flush", interactive=False, verbosity=0)
    area.enter()
    area.check()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(dumped.getvalue())
        file.flush()
        call_command("loaddata", file.name, verbosity=0)
    area.enter()
    area.check()
    assert area.value("SELECT count(*) FROM per_customer") == 1


TABLES = """
CREATE TABLE a (id int PRIMARY KEY, g int, v int, note text);
CREATE TABLE b (id int PRIMARY KEY, aid int REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE, w int);
CREATE TABLE c (id int PRIMARY KEY, bid int REFERENCES b ON DELETE SET NULL, x int);
CREATE INDEX ON b (aid); CREATE INDEX ON c (bid);
INSERT INTO a SELECT i, i % 3, i, '' FROM generate_series(1, 9) i;
INSERT INTO b SELECT i, i % 9 + 1, i FROM generate_series(1, 20) i;
INSERT INTO c SELECT i, i % 20 + 1, i FROM generate_series(1, 30) i;
"""


def test_cascades_in_the_database(area: Area) -> None:
    area.run(TABLES)
    area.view("ab", "SELECT a.g, count(*) AS n, sum(b.w) AS s FROM a JOIN b ON b.aid = a.id GROUP BY a.g")
    area.view("abc", "SELECT a.v, b.w, c.x FROM a JOIN b ON b.aid = a.id JOIN c ON c.bid = b.id")
    area.view("orphans", "SELECT bid, count(*) AS n, max(x) AS top FROM c GROUP BY bid")
    area.forbid_recompute()
    area.step("DELETE FROM a WHERE id = 1")
    area.step("UPDATE a SET id = id + 100 WHERE id IN (2, 3)")
    area.step("DELETE FROM a WHERE g = 1")
    area.step("DELETE FROM b WHERE w > 10")
    area.step("DELETE FROM a")
    assert area.value("SELECT n FROM orphans WHERE bid IS NULL") == 30


def test_cascade_to_itself(area: Area) -> None:
    area.run(
        "CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE, v int); CREATE "
        "INDEX ON tree (up); "
        "INSERT INTO tree SELECT i, nullif(i / 2, 0), i FROM generate_series(1, 63) i"
    )
    area.view("edges", "SELECT p.id AS p, c.id AS c, p.v + c.v AS s FROM tree p JOIN tree c ON c.up = p.id")
    area.view(
        "children", "SELECT p.id, count(*) AS n, max(c.v) AS top FROM tree p JOIN tree c ON c.up = p.id GROUP BY p.id"
    )
    area.view("total", "SELECT count(*) AS n, sum(v) AS s FROM tree")
    area.forbid_recompute("edges", "children", "total")
    area.step("DELETE FROM tree WHERE id = 4")
    area.step("INSERT INTO tree VALUES (100, 5, 1), (101, 100, 2), (102, 101, 3)")
    area.step("UPDATE tree SET up = 3 WHERE id IN (5, 101)")
    area.step("DELETE FROM tree WHERE id IN (2, 3)")
    area.step("DELETE FROM tree")


def test_updatable_view_and_rules(area: Area) -> None:
    area.run(TABLES)
    area.view("ab", "SELECT a.g, count(*) AS n, sum(b.w) AS s FROM a JOIN b ON b.aid = a.id GROUP BY a.g")
    area.view("sums", "SELECT g, sum(v) AS s FROM a GROUP BY g")
    area.forbid_recompute()
    area.run("CREATE VIEW window_ AS SELECT id, g, v FROM a WHERE v < 100")
    area.step("INSERT INTO window_ VALUES (50, 1, 5)")
    area.step("UPDATE window_ SET v = v + 1 WHERE g = 1")
    area.step("DELETE FROM window_ WHERE id IN (50, 3)")
    area.run(
        "CREATE RULE also AS ON INSERT TO a DO ALSO INSERT INTO b VALUES (NEW.id + 1000, NEW.id, 3); "
        "CREATE RULE instead AS ON DELETE TO a WHERE OLD.g = 2 DO INSTEAD UPDATE b SET w = 0 WHERE aid = "
        "OLD.id; "
        "CREATE RULE never AS ON UPDATE TO b WHERE NEW.w > 500 DO INSTEAD NOTHING"
    )
    area.step("INSERT INTO a VALUES (60, 1, 1), (61, 2, 2)")
    area.step("DELETE FROM a WHERE id > 4")
    area.step("UPDATE b SET w = 501")
    area.step("UPDATE b SET w = 7")
    area.run(
        "CREATE VIEW both_ AS SELECT a.id, a.v, b.w FROM a JOIN b ON b.aid = a.id; "
        "CREATE FUNCTION into_both() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO a VALUES "
        "(NEW.id, 0, NEW.v); "
        "UPDATE b SET aid = NEW.id, w = NEW.w WHERE id = 1; RETURN NEW; END$$; "
        "CREATE TRIGGER t INSTEAD OF INSERT ON both_ FOR EACH ROW EXECUTE FUNCTION into_both()"
    )
    area.step("INSERT INTO both_ VALUES (70, 1, 1), (71, 2, 2)")
