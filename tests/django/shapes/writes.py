"""Rows of the library, and random writes to it as applications make them."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Case, F, Model, Value, When
from django.db.models.functions import Concat

from tests.django.apps.library.models import AudioBook, Author, Book, Genre, Loan, Note, Publisher, Review, Sale

Write = Callable[[random.Random], object]
DAY = datetime.date(2024, 1, 1)
MOMENT = datetime.datetime(2024, 1, 1, 22, 30, tzinfo=datetime.UTC)
WORDS = ("war", "and", "Peace", "sea", "Émile", "the", "old", "MAN")

# Every write, with the tables it may change.
WRITES: list[tuple[frozenset[str], Write]] = []


def writes(*models: type[Model]) -> Callable[[Write], Write]:
    def note(write: Write) -> Write:
        WRITES.append((frozenset(m._meta.db_table for m in models), write))
        return write

    return note


def maybe(rng: random.Random, value: Any, chance: float = 0.3) -> Any:
    return None if rng.random() < chance else value


def day(rng: random.Random) -> datetime.date:
    return DAY + datetime.timedelta(days=rng.randrange(0, 800, 23))


def moment(rng: random.Random) -> datetime.datetime:
    return MOMENT + datetime.timedelta(hours=rng.randrange(0, 9000, 313), microseconds=rng.choice((0, 250000)))


def words(rng: random.Random, most: int = 3) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, most)))


def price(rng: random.Random) -> Decimal:
    return Decimal(rng.randrange(0, 4000, 125)) / 100


def one(rng: random.Random, model: type[Model]) -> Any:
    """A row of a table, or None when it is empty."""
    rows = list(model._default_manager.order_by("pk"))
    return rng.choice(rows) if rows else None


def some(rng: random.Random, model: type[Model], most: int = 4) -> list[Any]:
    rows = list(model._default_manager.order_by("pk"))
    return rng.sample(rows, min(len(rows), rng.randint(1, most)))


def profile(rng: random.Random) -> Any:
    return rng.choice(
        (None, {}, {"city": "Oslo", "age": 3}, {"city": None}, {"city": "Rome", "langs": ["no", "it"]}, {"age": 4.50})
    )


def data(rng: random.Random) -> Any:
    return {"lang": rng.choice(("en", "no", None)), "tags": [rng.choice(WORDS)], "dim": {"h": rng.randrange(3)}}


def author(rng: random.Random) -> Author:
    name = words(rng, 1)
    return Author(
        name=name,
        mentor=maybe(rng, one(rng, Author)),
        home=maybe(rng, one(rng, Publisher)),
        born=maybe(rng, day(rng)),
        rating=maybe(rng, rng.randrange(0, 20) / 4),
        active=rng.random() < 0.6,
        profile=profile(rng),
        nicknames=maybe(rng, [rng.choice((name, *WORDS)) for _ in range(rng.randrange(4))]),
    )


def book(rng: random.Random) -> Book:
    writer = one(rng, Author)
    return Book(
        publisher=maybe(rng, rng.choice((writer.home, one(rng, Publisher)))),
        author=writer,
        title=words(rng),
        blurb=maybe(rng, rng.choice(("", words(rng)))),
        state=rng.choice(Book.State.values),
        price=maybe(rng, price(rng), 0.2),
        pages=maybe(rng, rng.randrange(0, 400, 50), 0.2),
        weight=maybe(rng, rng.randrange(0, 12) / 8, 0.2),
        printed=maybe(rng, rng.random() < 0.5),
        published=maybe(rng, day(rng)),
        added=moment(rng),
        data=data(rng),
        marks=[rng.randrange(4) for _ in range(rng.randrange(4))],
    )


def review(rng: random.Random) -> Review:
    about = one(rng, Book)
    return Review(
        book=about,
        reviewer=maybe(rng, rng.choice((about.author.mentor, one(rng, Author)))),
        stars=rng.randint(1, 5),
        text=rng.choice(("", words(rng))),
        at=moment(rng),
    )


def fill(rng: random.Random) -> None:
    """A small library: NULLs, empty parents, children without parents, equal values."""
    for i, country in enumerate(("NO", "NO", "IT", None)):
        Publisher.objects.create(name=f"house {i}", country=country, founded=maybe(rng, day(rng)))
    for _ in range(6):
        author(rng).save()
    top = Genre.objects.create(name="any")
    for i in range(4):
        Genre.objects.create(name=f"genre {i}", parent=maybe(rng, top))
    for _ in range(12):
        new = book(rng)
        new.save()
        new.genres.set(some(rng, Genre, 3))
    Review.objects.bulk_create(review(rng) for _ in range(14))
    for b in some(rng, Book, 10):
        Sale.objects.create(book=b, day=day(rng), quantity=rng.randrange(5), amount=price(rng))
        Sale.objects.create(book=b, day=DAY, quantity=rng.randrange(5), amount=price(rng))
    for write in (create_audio_book, create_audio_book, create_audio_book, write_notes, write_loans, write_loans):
        write(rng)


@writes(Author)
def create_author(rng: random.Random) -> None:
    author(rng).save()


@writes(Author)
def save_author(rng: random.Random) -> None:
    if found := one(rng, Author):
        found.home, found.rating = maybe(rng, one(rng, Publisher)), maybe(rng, rng.randrange(20) / 4)
        found.profile, found.active, found.mentor = profile(rng), not found.active, maybe(rng, one(rng, Author))
        found.nicknames = rng.choice((None, [], [found.name], [rng.choice(WORDS), found.name]))
        found.save()


@writes(Author, AudioBook, Book, Loan, Note, Review, Sale)
def delete_author_with_cascade(rng: random.Random) -> None:
    if Author.objects.count() > 3:
        one(rng, Author).delete()


@writes(Author)
def get_or_create_author(rng: random.Random) -> None:
    name = words(rng, 1)
    if Author.objects.filter(name=name).count() < 2:
        Author.objects.get_or_create(name=name, defaults={"born": day(rng), "active": False})


@writes(Publisher)
def write_publisher(rng: random.Random) -> None:
    Publisher.objects.update_or_create(
        name=f"house {rng.randrange(6)}",
        defaults={"country": maybe(rng, rng.choice(("NO", "IT"))), "founded": day(rng)},
    )


@writes(Publisher, Author, Book)
def delete_publisher_with_set_null(rng: random.Random) -> None:
    if Publisher.objects.count() > 2:
        one(rng, Publisher).delete()


@writes(Book)
def create_books(rng: random.Random) -> None:
    Book.objects.bulk_create(book(rng) for _ in range(rng.randint(1, 4)))


@writes(Book)
def save_book(rng: random.Random) -> None:
    if found := one(rng, Book):
        found.publisher, found.author, found.title = maybe(rng, one(rng, Publisher)), one(rng, Author), words(rng)
        found.state, found.data, found.printed = rng.choice(Book.State.values), data(rng), maybe(rng, True)
        found.published, found.added = maybe(rng, day(rng)), moment(rng)
        found.save()


@writes(Book)
def update_with_f(rng: random.Random) -> None:
    Book.objects.filter(pk__in=[b.pk for b in some(rng, Book)]).update(
        price=F("price") + rng.choice((Decimal("-2.5"), Decimal("7.25"))),
        pages=F("pages") + 10,
        blurb=Concat("title", Value("!")),
        weight=Case(When(weight__gt=1, then=Value(0.25)), default=F("weight")),
    )


@writes(Book)
def bulk_update(rng: random.Random) -> None:
    found = some(rng, Book)
    for b in found:
        b.marks, b.price = [rng.randrange(4) for _ in range(rng.randrange(4))], maybe(rng, price(rng))
        b.pages, b.weight = maybe(rng, rng.randrange(0, 400, 50)), maybe(rng, rng.randrange(12) / 8)
    if found:
        Book.objects.bulk_update(found, ["marks", "price", "pages", "weight"])


@writes(Book, AudioBook, Loan, Note, Book.genres.through, Review, Sale)
def delete_books(rng: random.Random) -> None:
    if Book.objects.count() > 5:
        Book.objects.filter(pk__in=[b.pk for b in some(rng, Book, 3)]).delete()


@writes(Book, AudioBook)
def create_audio_book(rng: random.Random) -> None:
    plain = book(rng)
    known = {f.attname: getattr(plain, f.attname) for f in Book._meta.concrete_fields if not f.primary_key}
    length = maybe(rng, datetime.timedelta(minutes=rng.randrange(0, 300, 45)))
    AudioBook.objects.create(**known, reader=maybe(rng, one(rng, Author)), length=length)


@writes(Book, AudioBook)
def change_audio_books(rng: random.Random) -> None:
    AudioBook.objects.filter(pk__in=[b.pk for b in some(rng, AudioBook)]).update(
        title=Concat("title", Value("♪")),
        length=F("length") + datetime.timedelta(seconds=90),
        reader=maybe(rng, one(rng, Author)),
    )


@writes(Note)
def write_notes(rng: random.Random) -> None:
    for thing in (*some(rng, Book, 2), *some(rng, Author, 2)):
        Note.objects.create(of=thing, points=rng.randrange(5), factor=rng.randrange(3))


@writes(Note)
def change_notes(rng: random.Random) -> None:
    Note.objects.filter(points__lt=rng.randrange(5)).update(points=F("points") + 1)
    if len(found := some(rng, Note)) > 3:
        found[0].delete()


@writes(Loan)
def write_loans(rng: random.Random) -> None:
    for b in some(rng, Book):
        first = day(rng)
        Loan.objects.update_or_create(
            book=b,
            author=one(rng, Author),
            defaults={"days": (first, first + datetime.timedelta(days=40)), "fee": price(rng)},
        )


@writes(Loan)
def delete_loans(rng: random.Random) -> None:
    Loan.objects.filter(author=one(rng, Author)).delete()


@writes(Genre)
def rename_genres(rng: random.Random) -> None:
    Genre.objects.filter(pk__in=[g.pk for g in some(rng, Genre)]).update(
        name=Concat("name", Value(rng.choice("xy"))), parent=maybe(rng, one(rng, Genre), 0.6)
    )


@writes(Genre, Book.genres.through)
def genres_of_a_book(rng: random.Random) -> None:
    found = one(rng, Book)
    if found:
        rng.choice((found.genres.set, lambda g: found.genres.add(*g), lambda g: found.genres.remove(*g)))(
            some(rng, Genre)
        )


@writes(Genre, Book.genres.through)
def books_of_a_genre(rng: random.Random) -> None:
    found = one(rng, Genre)
    rng.choice((lambda: found.books.set(some(rng, Book)), found.books.clear))()


@writes(Genre, Book.genres.through)
def new_genre_and_one_gone(rng: random.Random) -> None:
    if Genre.objects.count() > 3:
        one(rng, Genre).delete()
    made, _ = Genre.objects.get_or_create(name=f"genre {rng.randrange(20)}", defaults={"parent": one(rng, Genre)})
    made.books.add(*some(rng, Book))


@writes(Review)
def create_reviews(rng: random.Random) -> None:
    Review.objects.bulk_create(review(rng) for _ in range(rng.randint(1, 5)))


@writes(Review)
def change_reviews(rng: random.Random) -> None:
    Review.objects.filter(pk__in=[r.pk for r in some(rng, Review)]).update(
        stars=6 - F("stars"), reviewer=maybe(rng, one(rng, Author)), book=one(rng, Book)
    )


@writes(Review)
def delete_reviews(rng: random.Random) -> None:
    Review.objects.filter(stars=rng.randint(1, 5)).delete()


@writes(Sale)
def upsert_sales(rng: random.Random) -> None:
    Sale.objects.bulk_create(
        [
            Sale(book=b, day=rng.choice((DAY, day(rng))), quantity=rng.randrange(9), amount=price(rng))
            for b in some(rng, Book)
        ],
        update_conflicts=True,
        unique_fields=["book", "day"],
        update_fields=["quantity", "amount"],
    )


@writes(Sale)
def change_sales(rng: random.Random) -> None:
    Sale.objects.filter(quantity__lt=rng.randrange(9)).update(quantity=F("quantity") + 1, amount=F("amount") * 2 - 1)


@writes(Sale)
def delete_sales(rng: random.Random) -> None:
    Sale.objects.filter(pk__in=[s.pk for s in some(rng, Sale, 3)]).delete()


def run(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@writes(Review, Sale, Book)
def several_tables_in_one_statement(rng: random.Random) -> None:
    run(
        "WITH gone AS (DELETE FROM library_review WHERE stars = %s RETURNING book_id, reviewer_id, at), "
        "sold AS (INSERT INTO library_sale (book_id, day, quantity, amount) SELECT DISTINCT book_id, %s::date, 1, 2.50 FROM gone "
        "ON CONFLICT (book_id, day) DO UPDATE SET quantity = library_sale.quantity + excluded.quantity RETURNING book_id), "
        "told AS (INSERT INTO library_review (book_id, reviewer_id, stars, text, at) SELECT book_id, NULL, 5, 'Peace', at FROM gone) "
        "UPDATE library_book SET state = 'out', title = title || '.', pages = NULL WHERE id IN (SELECT book_id FROM gone)",
        rng.randint(1, 5),
        day(rng),
    )


@writes(Book, Author, Publisher)
def parents_and_children_in_one_statement(rng: random.Random) -> None:
    if (writer := one(rng, Author)) and (house := one(rng, Publisher)):
        run(
            "WITH p AS (UPDATE library_publisher SET country = CASE country WHEN 'NO' THEN 'IT' ELSE 'NO' END WHERE id = %s), "
            "a AS (UPDATE library_author SET active = NOT active, name = name || 'x', home_id = %s WHERE id = %s) "
            "UPDATE library_book SET publisher_id = %s, price = coalesce(price, 0) + 1 WHERE author_id = %s OR publisher_id IS NULL",
            house.pk,
            house.pk,
            writer.pk,
            house.pk,
            writer.pk,
        )


@writes(Genre, Book.genres.through, Author)
def links_and_authors_in_one_statement(rng: random.Random) -> None:
    run(
        "WITH gone AS (DELETE FROM library_book_genres WHERE id %% 4 = %s RETURNING genre_id), "
        "g AS (UPDATE library_genre SET name = name || '+' WHERE id IN (SELECT genre_id FROM gone)) "
        "UPDATE library_author SET mentor_id = NULL, rating = rating + 0.5 WHERE id %% 3 = %s",
        rng.randrange(4),
        rng.randrange(3),
    )


@writes(Sale)
def merge_sales(rng: random.Random) -> None:
    run(
        "MERGE INTO library_sale s USING (SELECT id, coalesce(pages, 0) AS n FROM library_book) b "
        "ON s.book_id = b.id AND s.day = %s WHEN MATCHED AND b.n > 200 THEN DELETE "
        "WHEN MATCHED THEN UPDATE SET quantity = s.quantity + b.n "
        "WHEN NOT MATCHED AND b.n > 100 THEN INSERT (book_id, day, quantity, amount) VALUES (b.id, %s, b.n, 1.5)",
        DAY,
        DAY,
    )


@writes(Sale)
def empty_and_fill_sales(rng: random.Random) -> None:
    if rng.random() < 0.3:
        Sale.objects.all().delete()
    upsert_sales(rng)
    upsert_sales(rng)


@writes(Book, Review)
def move_reviews_between_books(rng: random.Random) -> None:
    """Keys change while the rows that are joined by them go and come in the same statement."""
    run(
        "WITH b AS (UPDATE library_book SET pages = coalesce(pages, 0) + 50, publisher_id = NULL WHERE id %% 3 = %s RETURNING id) "
        "UPDATE library_review SET book_id = (SELECT min(id) FROM library_book WHERE id > library_review.book_id), stars = 3 "
        "WHERE book_id IN (SELECT id FROM b) AND book_id < (SELECT max(id) FROM library_book)",
        rng.randrange(3),
    )
