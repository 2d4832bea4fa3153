"""annotate, aggregate functions, values, HAVING."""

from __future__ import annotations

from django.contrib.postgres import aggregates as postgres
from django.contrib.postgres.aggregates import (
    ArrayAgg,
    BitAnd,
    BitOr,
    BitXor,
    BoolAnd,
    BoolOr,
    Corr,
    JSONBAgg,
    RegrSlope,
)
from django.db import models
from django.db.models import (
    Avg,
    Case,
    Count,
    DecimalField,
    ExpressionWrapper,
    F,
    FloatField,
    Max,
    Min,
    OuterRef,
    Q,
    StdDev,
    Subquery,
    Sum,
    Value,
    Variance,
    When,
)
from django.db.models.functions import Cast, Coalesce, ExtractYear, Length, Round, TruncMonth

from tests.django.apps.library.models import Author, Book, Genre, Publisher, Review, Sale

from .table import shape

# Django 6.0 has one for every database, and deprecates PostgreSQL's own.
StringAgg = getattr(models, "StringAgg", None) or postgres.StringAgg


@shape()
def count_per_state():
    return Book.objects.values("state").annotate(n=Count("*"), dearest=Max("price"), cheapest=Min("price"))


@shape()
def parent_with_its_other_columns():
    return Publisher.objects.annotate(n=Count("books"), total=Sum("books__price"))


@shape()
def parent_of_parent_with_columns():
    return (
        Book.objects.select_related("publisher")
        .annotate(n=Count("reviews"))
        .values("id", "title", "publisher__name", "publisher__country", "n")
    )


@shape()
def distinct_counts_of_several_relations():
    return Publisher.objects.annotate(
        books_=Count("books", distinct=True),
        reviews=Count("books__reviews", distinct=True),
        people=Count("authors", distinct=True),
    ).values("id", "name", "books_", "reviews", "people")


@shape()
def counts_that_multiply():
    return Book.objects.annotate(n=Count("reviews"), g=Count("genres")).values("id", "n", "g")


@shape()
def filter_on_aggregates():
    return Publisher.objects.annotate(
        out=Count("books", filter=Q(books__state="out")),
        total=Sum("books__price", filter=Q(books__printed=True)),
        good=Count("books", filter=Q(books__reviews__stars__gte=4), distinct=True),
    ).values("id", "out", "total", "good")


@shape()
def aggregates_with_default():
    return Author.objects.annotate(
        total=Sum("books__pages", default=0), mean=Avg("books__price", default=Value(0))
    ).values("id", "total", "mean")


@shape()
def statistics_of_decimals():
    return Book.objects.values("publisher").annotate(
        a=Avg("price"), s=StdDev("price"), v=Variance("price", sample=True)
    )


@shape()
def statistics_of_integers():
    return Book.objects.values("state").annotate(a=Avg("pages"), s=StdDev("pages", sample=True), v=Variance("pages"))


@shape(close=("a", "s", "v", "t"))
def statistics_of_floats():
    return Book.objects.values("state").annotate(
        a=Avg("weight"), s=StdDev("weight"), v=Variance("weight"), t=Sum("weight")
    )


@shape()
def having():
    return Book.objects.values("author").annotate(n=Count("id"), p=Sum("pages")).filter(n__gt=1, p__gt=100)


@shape()
def having_or_a_condition():
    return Author.objects.annotate(n=Count("books")).filter(Q(n__gt=1) | Q(active=False)).values("id", "name", "n")


@shape()
def having_and_order():
    return Author.objects.annotate(n=Count("books")).filter(n=0).order_by("name").values("id", "name")


@shape()
def alias_only_in_filter():
    return Publisher.objects.alias(n=Count("books")).filter(n__gte=2).values("id", "name")


@shape()
def two_level_grouping_key():
    return Book.objects.values("publisher__country", "author__active").annotate(n=Count("pk"), p=Avg("pages"))


@shape()
def grouped_by_a_month():
    return Book.objects.annotate(month=TruncMonth("published")).values("month").annotate(n=Count("id"), p=Sum("price"))


@shape()
def grouped_by_an_extracted_year():
    return Book.objects.values(year=ExtractYear("published")).annotate(n=Count("id"))


@shape()
def grouped_by_case():
    size = Case(When(pages__lt=100, then=Value("thin")), When(pages__gte=100, then=Value("thick")), default=Value("?"))
    return Book.objects.annotate(size=size).values("size").annotate(n=Count("pk"), t=Sum("price"))


@shape()
def conditional_sums():
    return Book.objects.values("author").annotate(
        out=Sum(Case(When(state="out", then=1), default=0)), cost=Sum(Case(When(printed=True, then="price")))
    )


@shape()
def arithmetic_in_an_aggregate():
    worth = ExpressionWrapper(F("quantity") * F("book__price"), output_field=DecimalField())
    return Sale.objects.values("book__author").annotate(worth=Sum(worth), low=Min(worth), n=Count("day", distinct=True))


@shape()
def arithmetic_of_aggregates():
    return (
        Sale.objects.values("book")
        .annotate(t=Sum("amount"), q=Sum("quantity"), n=Count("id"))
        .annotate(each=ExpressionWrapper(F("t") / F("n"), output_field=DecimalField()), both=F("q") * F("n"))
    )


@shape()
def rounded_average():
    return Review.objects.values("book").annotate(mean=Round(Avg("stars"), 1), n=Count("reviewer"))


@shape()
def many_to_many_grouped():
    return Genre.objects.annotate(n=Count("books"), p=Max("books__published"), t=Sum("books__price")).values(
        "id", "name", "n", "p", "t"
    )


@shape()
def children_of_children_grouped():
    return Genre.objects.annotate(n=Count("children__books__reviews"), k=Count("children", distinct=True)).values(
        "name", "n", "k"
    )


@shape()
def annotate_before_values():
    return Author.objects.annotate(n=Count("books")).values("active", "n")


@shape()
def annotate_over_values_list():
    return Book.objects.values_list("author", "state").annotate(n=Count("pk")).order_by()


@shape()
def subquery_with_having():
    many = Review.objects.values("book").annotate(n=Count("pk")).filter(n__gt=1, book=OuterRef("pk")).values("n")
    return Book.objects.annotate(n=Coalesce(Subquery(many), 0)).values("id", "n")


@shape()
def filtered_by_an_annotation_of_a_relation():
    return (
        Book.objects.annotate(n=Count("reviews", filter=Q(reviews__stars=5)))
        .filter(n__gte=1)
        .values("id", "title", "n")
    )


@shape()
def distinct_sums_and_averages():
    return Book.objects.values("publisher").annotate(s=Sum("pages", distinct=True), a=Avg("price", distinct=True))


@shape()
def min_and_max_of_text_and_dates():
    return Book.objects.values("author").annotate(a=Min("title"), z=Max("title"), d=Max("added"), e=Min("published"))


@shape(alike=("f",))
def min_of_length():
    return Book.objects.values("author").annotate(n=Min(Length("title")), f=Max(Cast("pages", FloatField())))


@shape()
def array_agg_ordered():
    return Book.objects.values("author").annotate(
        ids=ArrayAgg("id", order_by="id"), t=ArrayAgg("title", order_by=("-pages", "id"))
    )


@shape()
def array_agg_distinct_filtered():
    return Author.objects.annotate(
        s=ArrayAgg("books__state", distinct=True, filter=Q(books__isnull=False), default=Value([]))
    ).values("id", "s")


@shape(undetermined=("ids",))
def array_agg_without_order():
    return Book.objects.values("author").annotate(ids=ArrayAgg("id"))


@shape()
def string_agg_ordered():
    return Publisher.objects.annotate(
        t=StringAgg("books__title", delimiter=Value(", "), order_by=("books__title", "books__id"))
    ).values("id", "name", "t")


@shape()
def string_agg_distinct():
    return Book.objects.values("id").annotate(g=StringAgg("genres__name", delimiter=Value("|"), distinct=True))


@shape()
def jsonb_agg_ordered():
    return Author.objects.annotate(d=JSONBAgg("books__data", order_by="books__id")).values("id", "d")


@shape()
def bool_aggregates():
    return Book.objects.values("publisher").annotate(every=BoolAnd("printed"), any=BoolOr("printed"))


@shape()
def bit_aggregates():
    return Book.objects.values("state").annotate(a=BitAnd("pages"), o=BitOr("pages"), x=BitXor("pages"))


@shape(close=("c", "s"))
def statistics_of_pairs():
    return Book.objects.values("author").annotate(c=Corr(y="weight", x="pages"), s=RegrSlope(y="weight", x="pages"))


@shape()
def top_ten():
    return Author.objects.annotate(n=Count("books")).order_by("-n", "pk").values("id", "name", "n")[:10]


@shape()
def top_three_after_two():
    return Book.objects.order_by(F("price").desc(nulls_last=True), "id").values("id", "price")[2:5]


@shape("ORDER")
def top_three_with_ties():
    return Book.objects.order_by("-pages").values("id", "pages")[:3]
