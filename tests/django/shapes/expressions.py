"""Functions of a row: dates, text, conditions, JSON, arrays, search."""

from __future__ import annotations

import zoneinfo

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, TrigramSimilarity
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import (
    MD5,
    Cast,
    Coalesce,
    Concat,
    ConcatPair,
    ExtractDay,
    ExtractHour,
    ExtractIsoWeekDay,
    ExtractMinute,
    ExtractMonth,
    ExtractQuarter,
    ExtractWeek,
    ExtractYear,
    Greatest,
    JSONObject,
    Least,
    Left,
    Length,
    Lower,
    LPad,
    Mod,
    NullIf,
    Power,
    Replace,
    StrIndex,
    Substr,
    Trim,
    TruncDate,
    TruncDay,
    TruncHour,
    TruncMonth,
    TruncWeek,
    TruncYear,
    Upper,
)

from tests.django.apps.library.models import Author, Book, Publisher, Review, Sale

from .table import shape

OSLO = zoneinfo.ZoneInfo("Europe/Oslo")


@shape()
def text_functions():
    return Book.objects.values(
        "id",
        low=Lower("title"),
        up=Upper("blurb"),
        n=Length("title"),
        first=Left("title", 3),
        mid=Substr("title", 2, 2),
        padded=LPad("state", 8, Value("_")),
        at=StrIndex("title", Value("a")),
        other=Replace("title", Value("a"), Value("b")),
        bare=Trim("blurb"),
        sum=MD5("title"),
    )


@shape()
def concat():
    return Book.objects.values(
        "id",
        both=Concat("title", Value(" ("), "blurb", Value(")"), output_field=TextField()),
        pair=ConcatPair("state", "title"),
    )


@shape()
def concat_with_numbers():
    return Book.objects.values("id", t=Concat("title", Value("/"), "pages", output_field=CharField()))


@shape()
def coalesce_greatest_least():
    return Book.objects.values(
        "id",
        p=Coalesce("blurb", "title", output_field=TextField()),
        g=Greatest("published", "publisher__founded"),
        least=Least("pages", Value(100)),
        n=NullIf("state", Value("out")),
    )


@shape()
def arithmetic():
    return Book.objects.values(
        "id", m=Mod("pages", 7), p=Power("pages", 2), d=F("price") * 2 - 1, w=-F("weight"), b=F("pages").bitand(12)
    )


@shape()
def casts():
    return Book.objects.values(
        "id",
        a=Cast("pages", TextField()),
        b=Cast("price", IntegerField()),
        c=Cast("printed", TextField()),
        d=Cast("published", TextField()),
    )


@shape()
def cast_of_a_moment():
    return Book.objects.values("id", t=Cast("added", TextField()))


@shape()
def case_when():
    return Book.objects.values(
        "id",
        kind=Case(
            When(Q(pages__gt=200) | Q(price__gt=20), then=Value("big")),
            When(publisher__country="NO", then=F("publisher__name")),
            When(author__books__isnull=True, then=Value("none")),
            default=Value(None),
            output_field=TextField(null=True),
        ),
    )


@shape()
def condition_as_an_output():
    return Book.objects.values(
        "id", dear=ExpressionWrapper(Q(price__gt=10) & Q(printed=True), output_field=BooleanField())
    )


@shape()
def extracts_of_a_date():
    return Book.objects.filter(published__isnull=False).values(
        "id",
        y=ExtractYear("published"),
        m=ExtractMonth("published"),
        d=ExtractDay("published"),
        q=ExtractQuarter("published"),
        w=ExtractWeek("published"),
    )


@shape()
def extracts_of_a_moment():
    return Book.objects.values(
        "id", h=ExtractHour("added"), m=ExtractMinute("added"), d=ExtractIsoWeekDay("added", tzinfo=OSLO)
    )


@shape()
def truncations_of_a_date():
    return Book.objects.values("id", y=TruncYear("published"), w=TruncWeek("published"))


@shape()
def truncations_of_a_moment():
    return Book.objects.values(
        "id", d=TruncDay("added"), o=TruncDay("added", tzinfo=OSLO), h=TruncHour("added"), t=TruncDate("added")
    )


@shape()
def grouped_by_a_day_of_a_zone():
    return Review.objects.annotate(d=TruncDate("at", tzinfo=OSLO)).values("d").annotate(n=Count("id"), s=Sum("stars"))


@shape()
def grouped_by_a_month_of_moments():
    return Review.objects.annotate(m=TruncMonth("at")).values("m").annotate(n=Count("id"))


@shape()
def date_lookups():
    return Review.objects.filter(at__year=2024, at__month__gte=3, at__date__lt="2024-12-01").values("id", "at")


@shape()
def difference_of_moments():
    return Review.objects.values("id", late=F("at") - F("book__added"))


@shape()
def moment_plus_interval():
    soon = Func(template="INTERVAL '1 day'", output_field=DateTimeField())
    return Review.objects.values("id", due=ExpressionWrapper(F("at") + soon, output_field=DateTimeField()))


@shape()
def json_keys():
    return Author.objects.values("id", city=F("profile__city"), lang=F("profile__langs__0"))


@shape()
def json_key_texts():
    return Author.objects.values("id", city=KT("profile__city"), age=Cast(KT("profile__age"), TextField()))


@shape()
def json_filters():
    return Author.objects.filter(Q(profile__city="Oslo") | Q(profile__age__gt=3) | Q(profile__has_key="langs")).values(
        "id", "profile"
    )


@shape()
def json_contains():
    return Book.objects.filter(data__contains={"lang": "en"}).exclude(data__dim__h=1).values("id", "data")


@shape()
def grouped_by_a_json_text():
    return Book.objects.values(lang=KT("data__lang")).annotate(n=Count("id"), p=Sum("pages"))


@shape(alike=("h",))
def grouped_by_a_json_value():
    return Book.objects.values(h=F("data__dim__h")).annotate(n=Count("id"))


@shape("EXPRESSION", since=16)
def json_object():
    return Book.objects.values("id", o=JSONObject(t=F("title"), p=F("pages"), a=F("author__name")))


@shape()
def array_lookups():
    return Book.objects.filter(Q(marks__contains=[1]) | Q(marks__len=2) | Q(marks__0=3)).values("id", "marks")


@shape()
def array_transforms():
    return Book.objects.filter(marks__overlap=[1, 2]).values(
        "id", first=F("marks__0"), some=F("marks__0_2"), n=F("marks__len")
    )


@shape()
def array_unnested():
    return Book.objects.values("id", mark=Func("marks", function="unnest", output_field=IntegerField()))


@shape()
def distinct_of_an_unnested_array():
    return (
        Book.objects.annotate(mark=Func("marks", function="unnest", output_field=IntegerField()))
        .values("author", "mark")
        .distinct()
    )


@shape()
def array_overlap_with_a_column():
    return Author.objects.filter(nicknames__contains=[F("name")]).values("id", "nicknames")


@shape()
def search_vector_with_config():
    return Book.objects.annotate(v=SearchVector("title", "blurb", config="english")).values("id", "v")


@shape()
def search_vector_without_config():
    return Book.objects.annotate(v=SearchVector("title", "blurb")).values("id", "v")


@shape()
def search():
    return (
        Book.objects.annotate(v=SearchVector("title", "author__name", config="simple"))
        .filter(v=SearchQuery("war | sea", config="simple", search_type="raw"))
        .values("id", "title")
    )


@shape()
def search_rank():
    vector = SearchVector("title", config="english", weight="A")
    return Book.objects.annotate(rank=SearchRank(vector, SearchQuery("war", config="english"))).values("id", "rank")


@shape(extension="pg_trgm")
def trigrams():
    return Book.objects.annotate(s=TrigramSimilarity("title", "peace and war")).filter(s__gt=0.2).values("id", "s")


@shape()
def uuid_text_and_booleans():
    return Author.objects.filter(active=True).values("id", "uid", "born", free=Cast("uid", TextField()))


@shape()
def exists_beside_case():
    sold = Exists(Sale.objects.filter(book=OuterRef("pk")))
    return (
        Book.objects.annotate(kind=Case(When(sold, then=Value("sold")), default=F("state")))
        .values("kind")
        .annotate(n=Count("pk"))
    )


@shape()
def constants_beside_columns():
    return Publisher.objects.values(
        "id", one=Value(1), text=Value("it's 100%"), none=Value(None, output_field=IntegerField())
    )
