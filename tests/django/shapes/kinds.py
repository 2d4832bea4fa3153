"""Kinds of models: inherited tables, proxies, generic relations, keys of two columns; and what is written by hand."""

from __future__ import annotations

import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Avg, Count, Exists, F, IntegerField, Max, OuterRef, Q, Subquery, Sum, TextField, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Collate, Now, Random

from tests.django.apps.library.models import (
    AudioBook,
    Author,
    Book,
    Genre,
    Loan,
    Note,
    OutBook,
    Publisher,
    Review,
    Sale,
)

from .table import shape


@shape()
def inherited_table():
    return AudioBook.objects.all()


@shape()
def parent_of_an_inherited_table():
    return Book.objects.values("id", "title", length=F("audiobook__length"), reader=F("audiobook__reader__name"))


@shape()
def books_that_are_no_audio_books():
    return Book.objects.filter(audiobook__isnull=True).values("id", "title")


@shape(alike=("longest",))
def inherited_table_grouped():
    return AudioBook.objects.values("author__name").annotate(
        n=Count("pk"), total=Sum("length"), longest=Max("length"), p=Sum("price"), r=Count("reader", distinct=True)
    )


@shape()
def mean_of_durations():
    return AudioBook.objects.values("state").annotate(mean=Avg("length"))


@shape()
def inherited_table_filtered_by_children():
    return (
        AudioBook.objects.exclude(reviews__stars__lt=3)
        .filter(length__gt=datetime.timedelta(minutes=60))
        .values("pk", "length")
    )


@shape()
def proxy():
    return OutBook.objects.filter(state="out").values("author_id").annotate(n=Count("pk"))


@shape()
def deferred_columns():
    return Book.objects.only("title", "price").filter(pages__gt=10)


@shape()
def generic_relation_counted():
    return Book.objects.annotate(n=Count("notes"), t=Sum("notes__total")).values("id", "title", "n", "t")


@shape()
def generic_relation_excluded():
    return Author.objects.filter(~Exists(Note.objects.filter(of_id=OuterRef("pk"), of_type__model="author"))).values(
        "id"
    )


@shape()
def generated_column():
    return Note.objects.values("of_type__model").annotate(t=Sum("total"), n=Count("pk"))


@shape()
def key_of_two_columns():
    return Loan.objects.values("book_id", "author_id", "fee", name=F("author__name"))


@shape()
def key_of_two_columns_counted():
    return Author.objects.annotate(n=Count("loans"), fees=Sum("loans__fee")).values("id", "n", "fees")


@shape()
def ranges():
    return Loan.objects.filter(days__overlap=(datetime.date(2024, 3, 1), datetime.date(2025, 3, 1))).values(
        "book_id", "author_id", "days", first=F("days__startswith"), open=F("days__isempty")
    )


@shape()
def overlapping_loans_of_a_book():
    other = Loan.objects.filter(book=OuterRef("book"), days__overlap=OuterRef("days")).exclude(
        author=OuterRef("author")
    )
    return Loan.objects.filter(Exists(other)).values("book_id", "author_id")


@shape()
def many_to_many_through_table():
    return Book.genres.through.objects.values("genre__name").annotate(n=Count("book"), p=Max("book__pages"))


@shape()
def array_subquery():
    stars = Review.objects.filter(book=OuterRef("pk")).order_by("stars", "pk").values("stars")
    return Book.objects.annotate(s=ArraySubquery(stars)).values("id", "s")


@shape()
def in_the_newest_three():
    return Book.objects.filter(pk__in=Book.objects.order_by("-added", "-pk").values("pk")[:3]).values("id", "title")


@shape()
def greater_than_the_mean():
    mean = Book.objects.values(one=Value(1)).annotate(m=Avg("pages")).values("m")
    return Book.objects.filter(pages__gt=Subquery(mean)).values("id", "pages")


@shape()
def dates():
    return Book.objects.dates("published", "month")


@shape()
def datetimes():
    return Book.objects.datetimes("added", "day")


@shape()
def raw_expression():
    return Book.objects.annotate(x=RawSQL("coalesce(pages, %s) * 2", [7], output_field=IntegerField())).values(
        "id", "x"
    )


@shape()
def extra():
    return Book.objects.extra(
        select={"n": "SELECT count(*) FROM library_sale s WHERE s.book_id = library_book.id"}
    ).values("id", "n")


@shape()
def collated():
    return Book.objects.values("id", t=Collate("title", "C")).filter(t__lt="T")


@shape()
def grouped_by_a_collated_text():
    return Book.objects.values(t=Collate("title", "C")).annotate(n=Count("id"))


@shape("VOLATILE")
def by_chance():
    return Book.objects.annotate(r=Random()).filter(r__lte=1).values("id", "title")


@shape("TEMPORAL")
def until_now():
    return Review.objects.filter(at__lt=Now()).values("book").annotate(n=Count("pk"))


@shape()
def first_per_group_by_array_agg():
    return Book.objects.values("publisher").annotate(
        best=ArrayAgg("title", order_by=(F("price").desc(nulls_last=True), "id"), filter=Q(price__isnull=False))
    )


@shape()
def grouped_in_a_subquery_joined_again():
    top = Sale.objects.values("book").annotate(t=Sum("amount")).filter(t__gt=10).values("book")
    return Publisher.objects.filter(books__in=top).annotate(n=Count("books", distinct=True)).values("id", "n")


@shape()
def sales_of_a_genre_and_its_parent():
    return Genre.objects.annotate(
        t=Sum("books__sales__amount"), p=Sum("parent__books__sales__amount"), n=Count("books__sales", distinct=True)
    ).values("id", "t", "p", "n")


@shape()
def text_of_a_float_and_a_decimal():
    return Book.objects.values("id", w=Cast("weight", TextField()), p=Cast("price", TextField()))


@shape()
def counted_by_a_comparison():
    dearer = (
        Book.objects.filter(author=OuterRef("author"), pages__gt=OuterRef("pages")).annotate(one=Value(1)).order_by()
    )
    return Book.objects.annotate(more=Exists(dearer)).values("id", "more")


@shape()
def counted_by_a_comparison_with_group_by():
    rivals = Book.objects.filter(author=OuterRef("author"), pages__gt=OuterRef("pages")).values("author")
    return Book.objects.annotate(n=Subquery(rivals.annotate(n=Count("pk")).values("n"))).values("id", "n")
