"""Unions, DISTINCT, windows."""

from __future__ import annotations

from django.db.models import Avg, Count, F, Max, Q, RowRange, Sum, Value, ValueRange, Window
from django.db.models.functions import DenseRank, FirstValue, Lag, LastValue, Lead, Ntile, PercentRank, Rank, RowNumber

from tests.django.apps.library.models import Author, Book, Genre, Publisher, Review, Sale

from .table import shape


@shape()
def union():
    return Book.objects.values("author_id", "publisher_id").union(Author.objects.values("id", "home_id"))


@shape()
def union_all():
    return Book.objects.values("title", "pages").union(Author.objects.values("name", "mentor_id"), all=True)


@shape()
def union_of_three():
    return Publisher.objects.values("name").union(
        Genre.objects.values("name"), Author.objects.filter(active=True).values("name")
    )


@shape()
def union_with_literals():
    return Book.objects.values("id", kind=Value("book")).union(
        Author.objects.values("id", kind=Value("author")), all=True
    )


@shape()
def intersection():
    return (
        Author.objects.filter(books__state="out")
        .values("id", "name")
        .intersection(Author.objects.filter(active=True).values("id", "name"))
    )


@shape()
def difference():
    return Author.objects.values("id").difference(Book.objects.values("author_id"))


@shape()
def difference_with_nulls():
    return Book.objects.values("publisher_id", "state").difference(
        Book.objects.filter(pages__gt=150).values("publisher_id", "state")
    )


@shape()
def union_of_grouped():
    return (
        Book.objects.values(who=F("author_id"))
        .annotate(n=Count("*"))
        .union(Review.objects.values(who=F("reviewer_id")).annotate(n=Count("*")), all=True)
    )


@shape("WHOLE")
def union_ordered_and_sliced():
    return (
        Book.objects.values("id", "title")
        .union(Author.objects.values("id", "name"), all=True)
        .order_by("id", "title")[:6]
    )


@shape()
def or_of_querysets():
    return (
        (Book.objects.filter(genres__name="genre 1") | Book.objects.filter(state="out"))
        .distinct()
        .values("id", "title")
    )


@shape()
def distinct():
    return Book.objects.values("state", "publisher__country").distinct()


@shape()
def distinct_whole_rows_over_a_join():
    return Author.objects.filter(books__genres__isnull=False).distinct().values("id", "name", "active")


@shape()
def distinct_on():
    return Book.objects.order_by("author", "-pages", "id").distinct("author").values("author", "id", "pages")


@shape()
def distinct_on_over_a_relation():
    return (
        Review.objects.filter(book__state="out")
        .order_by("book__publisher", "-stars", "pk")
        .distinct("book__publisher")
        .values("book__publisher", "pk", "stars", "book__title")
    )


@shape()
def row_number():
    rank = Window(RowNumber(), partition_by=[F("publisher")], order_by=[F("price").desc(), F("id").asc()])
    return Book.objects.annotate(n=rank).values("id", "publisher_id", "n")


@shape()
def filtered_window():
    rank = Window(RowNumber(), partition_by=[F("author")], order_by=[F("pages").desc(nulls_last=True), "id"])
    return Book.objects.annotate(n=rank).filter(n__lte=2).values("id", "author_id", "n")


@shape()
def ranks():
    over = {"partition_by": [F("state")], "order_by": [F("pages").asc()]}
    return Book.objects.values(
        "id", r=Window(Rank(), **over), d=Window(DenseRank(), **over), p=Window(PercentRank(), **over)
    )


@shape()
def lag_and_lead():
    over = {"partition_by": [F("book")], "order_by": [F("day").asc()]}
    return Sale.objects.values(
        "id", before=Window(Lag("amount"), **over), after=Window(Lead("amount", offset=2, default=0), **over)
    )


@shape()
def first_and_last():
    over = {"partition_by": [F("book")], "order_by": [F("stars").asc(), F("id").asc()]}
    return Review.objects.values(
        "id", f=Window(FirstValue("at"), **over), z=Window(LastValue("at"), frame=RowRange(), **over)
    )


@shape()
def running_total():
    total = Window(Sum("amount"), partition_by="book", order_by="day", frame=RowRange(start=None, end=0))
    return Sale.objects.values("id", "book_id", "day", total=total)


@shape()
def moving_average():
    mean = Window(Avg("quantity"), partition_by="book", order_by="day", frame=RowRange(start=-1, end=1))
    return Sale.objects.values("id", mean=mean)


@shape()
def frame_by_range():
    total = Window(Sum("quantity"), partition_by="book", order_by="day", frame=ValueRange(start=None, end=0))
    return Sale.objects.values("id", total=total)


@shape()
def share_of_the_partition():
    return Book.objects.annotate(
        all=Window(Count("*"), partition_by="publisher"), top=Window(Max("pages"), partition_by="publisher")
    ).values("id", "all", "top")


@shape("WHOLE")
def window_over_everything():
    return Book.objects.values("id", n=Window(RowNumber(), order_by=[F("added"), F("id")]))


@shape()
def ntile():
    return Book.objects.values("id", q=Window(Ntile(num_buckets=3), partition_by="author", order_by=["pages", "id"]))


@shape()
def window_over_aggregates():
    place = Window(Rank(), partition_by="publisher", order_by=F("n").desc())
    return Book.objects.values("publisher", "author").annotate(n=Count("pk")).annotate(place=place)


@shape()
def window_over_a_relation():
    place = Window(RowNumber(), partition_by=F("author__home"), order_by=[F("pages"), F("id")])
    return Book.objects.filter(author__active=True).values("id", "author__home__name", place=place)


@shape()
def filtered_aggregate_over_a_window_condition():
    best = Window(Max("stars"), partition_by="book")
    return Review.objects.annotate(best=best).filter(Q(stars=F("best"))).values("id", "book_id", "stars")
