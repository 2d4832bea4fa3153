"""Filters and joins: relations that may be NULL, many-to-many, subqueries."""

from __future__ import annotations

from django.db.models import Count, Exists, F, FilteredRelation, Max, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from tests.django.apps.library.models import Author, Book, Genre, Publisher, Review, Sale

from .table import shape


@shape()
def whole_table():
    return Genre.objects.all()


@shape()
def select_related_through_nullable():
    return Book.objects.select_related("publisher", "author__mentor").values(
        "id", "title", "publisher__name", "publisher__country", "author__name", mentor=F("author__mentor__name")
    )


@shape()
def forward_chain_of_nullables():
    return Review.objects.values("id", "stars", home=F("reviewer__home__name"), mentor=F("reviewer__mentor__mentor_id"))


@shape()
def filter_over_a_nullable_relation():
    return Book.objects.filter(publisher__country="NO").values("id", "title")


@shape()
def relation_is_null():
    return Author.objects.filter(books__isnull=True).values("id", "name")


@shape()
def relation_is_not_null():
    return Author.objects.filter(books__isnull=False).distinct().values("id", "name")


@shape()
def exclude_a_nullable_column():
    return Book.objects.exclude(pages__gt=200).values("id", "pages")


@shape()
def exclude_over_a_nullable_relation():
    return Book.objects.exclude(publisher__country="NO").values("id", "publisher_id")


@shape()
def exclude_over_children():
    return Author.objects.exclude(books__pages__gt=100).values("id", "name")


@shape()
def exclude_over_nullable_children():
    return Author.objects.exclude(reviews__stars=5).values("id", "name")


@shape()
def exclude_over_many_to_many():
    return Book.objects.exclude(genres__name__startswith="genre 1").values("id", "title")


@shape()
def exclude_two_conditions_on_children():
    return Publisher.objects.exclude(books__pages__gt=100, books__state="out").values("id", "name")


@shape()
def exclude_children_of_children():
    return Publisher.objects.exclude(books__reviews__stars__lt=3).values("id", "name")


@shape()
def exclude_by_an_f_of_the_parent():
    return Publisher.objects.exclude(books__published__lt=F("founded")).values("id", "name")


@shape()
def not_in_a_subquery_with_nulls():
    return Author.objects.exclude(id__in=Author.objects.filter(active=True, rating__gt=4).values("mentor_id")).values(
        "id", "name"
    )


@shape()
def not_in_a_subquery_of_another_relation():
    return Publisher.objects.exclude(id__in=Book.objects.filter(state="out").values("publisher")).values("id", "name")


@shape()
def in_a_subquery():
    return Book.objects.filter(author__in=Author.objects.filter(active=True)).values("id", "author_id")


@shape()
def in_a_subquery_grouped_with_having():
    busy = Book.objects.values("author").annotate(n=Count("id")).filter(n__gt=1).values("author")
    return Author.objects.filter(id__in=busy).values("id", "name")


@shape()
def or_across_relations():
    return (
        Book.objects.filter(Q(publisher__country="NO") | Q(author__home__country="IT") | Q(reviews__stars=5))
        .values("id", "title")
        .distinct()
    )


@shape()
def or_with_duplicates():
    return Book.objects.filter(Q(reviews__stars__gte=4) | Q(genres__name="genre 2")).values("id", "reviews__id")


@shape()
def or_of_a_negated_relation():
    return Book.objects.filter(~Q(genres__name="genre 0") | Q(pages__isnull=True)).values("id")


@shape()
def xor_of_conditions():
    return Book.objects.filter(Q(pages__gt=100) ^ Q(printed=True)).values("id", "pages", "printed")


@shape()
def two_filters_over_one_relation():
    return Book.objects.filter(genres__name__contains="1").filter(genres__name__contains="2").values("id")


@shape()
def many_to_many_pairs():
    return Book.objects.values("id", "genres__name")


@shape()
def self_relation_two_up():
    return Author.objects.filter(mentor__mentor__isnull=False).values("id", grand=F("mentor__mentor__name"))


@shape(alike=("best",))
def pupils_counted():
    return Author.objects.annotate(n=Count("pupils"), best=Max("pupils__rating")).values("id", "name", "n", "best")


@shape()
def f_across_relations():
    return Book.objects.filter(published__gt=F("publisher__founded"), author__home=F("publisher")).values("id")


@shape()
def exists_in_filter():
    return Author.objects.filter(Exists(Book.objects.filter(author=OuterRef("pk"), state="out"))).values("id", "name")


@shape()
def not_exists_in_filter():
    return Author.objects.filter(~Exists(Book.objects.filter(author=OuterRef("pk"), state="out"))).values("id", "name")


@shape()
def exists_annotated():
    return Author.objects.annotate(out=Exists(Book.objects.filter(author=OuterRef("pk"), state="out"))).values(
        "id", "out"
    )


@shape()
def not_exists_annotated_and_filtered():
    return Book.objects.annotate(
        unread=~Exists(Review.objects.filter(book=OuterRef("pk"), reviewer__isnull=False))
    ).values("id", "unread")


@shape()
def exists_or_a_condition():
    return Book.objects.filter(
        Q(Exists(Sale.objects.filter(book=OuterRef("pk"), quantity__gt=2))) | Q(state="gone")
    ).values("id")


@shape()
def exists_of_exists():
    reviews = Review.objects.filter(book=OuterRef("pk"), reviewer=OuterRef("author__mentor"))
    books = Book.objects.filter(Exists(reviews), author=OuterRef("pk"))
    return Author.objects.filter(Exists(books)).values("id")


@shape()
def outer_ref_nested_twice():
    same_house = Book.objects.filter(author=OuterRef("pk"), publisher=OuterRef(OuterRef("pk")))
    return Publisher.objects.filter(Exists(Author.objects.filter(Exists(same_house)))).values("id", "name")


@shape()
def subquery_of_the_latest():
    latest = Review.objects.filter(book=OuterRef("pk")).order_by("-at", "-pk")
    return Book.objects.annotate(stars=Subquery(latest.values("stars")[:1])).values("id", "stars")


@shape("ORDER")
def subquery_of_the_latest_with_ties():
    latest = Review.objects.filter(book=OuterRef("pk")).order_by("-at")
    return Book.objects.annotate(stars=Subquery(latest.values("stars")[:1])).values("id", "stars")


@shape()
def subquery_compared():
    dearest = Book.objects.filter(publisher=OuterRef("publisher")).order_by(F("price").desc(nulls_last=True), "pk")
    return Book.objects.filter(pk=Subquery(dearest.values("pk")[:1])).values("id", "publisher_id", "price")


@shape()
def top_three_per_parent():
    best = Book.objects.filter(publisher=OuterRef("publisher")).order_by(F("price").desc(nulls_last=True), "pk")
    return Book.objects.filter(pk__in=Subquery(best.values("pk")[:3])).values("id", "publisher_id", "price")


@shape()
def subquery_sum():
    sold = Sale.objects.filter(book=OuterRef("pk")).values("book").annotate(t=Sum("amount")).values("t")
    return Book.objects.annotate(
        sold=Coalesce(Subquery(sold), Value(0), output_field=Sale._meta.get_field("amount"))
    ).values("id", "sold")


@shape()
def two_subqueries_and_their_sum():
    stars = Review.objects.filter(book=OuterRef("pk")).order_by().values("book").annotate(n=Count("pk")).values("n")
    sales = Sale.objects.filter(book=OuterRef("pk")).order_by().values("book").annotate(n=Sum("quantity")).values("n")
    return (
        Book.objects.annotate(r=Subquery(stars), s=Subquery(sales))
        .annotate(both=F("r") + F("s"))
        .values("id", "r", "s", "both")
    )


@shape()
def aggregate_over_a_subquery():
    sold = Sale.objects.filter(book=OuterRef("pk")).values("book").annotate(t=Sum("quantity")).values("t")
    return Book.objects.annotate(sold=Subquery(sold)).values("publisher").annotate(t=Sum("sold"), n=Count("sold"))


@shape()
def compared_with_an_aggregate_of_its_parent():
    mean = Book.objects.filter(author=OuterRef("author")).values("author").annotate(m=Max("pages")).values("m")
    return Book.objects.filter(pages__lt=Subquery(mean)).values("id", "pages")


@shape()
def filtered_relation():
    return Publisher.objects.annotate(out=FilteredRelation("books", condition=Q(books__state="out"))).values(
        "id", "name", "out__title"
    )


@shape()
def filtered_relation_counted():
    return Publisher.objects.annotate(
        out=FilteredRelation("books", condition=Q(books__state="out", books__pages__gt=50)),
        n=Count("out", distinct=True),
    ).values("id", "name", "n")


@shape()
def filtered_relation_without_any():
    return (
        Author.objects.annotate(bad=FilteredRelation("reviews", condition=Q(reviews__stars__lt=3)))
        .filter(bad__isnull=True)
        .values("id", "name")
    )


@shape()
def reverse_chain():
    return Publisher.objects.filter(books__reviews__reviewer__active=True).values(
        "id", "books__id", "books__reviews__id"
    )


@shape()
def in_a_list_and_ranges():
    return Book.objects.filter(state__in=["out", "gone"], pages__range=(0, 300), title__icontains="a").values(
        "id", "title"
    )


@shape()
def regex_and_case_insensitive():
    return Book.objects.filter(Q(title__regex=r"^[A-Z]") | Q(blurb__iexact="SEA")).values("id", "title")
