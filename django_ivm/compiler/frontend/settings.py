"""PostgreSQL's own functions whose result depends on settings only, and on which.

They are declared STABLE, or IMMUTABLE by an old mistake (`age`, `jsonb_object_agg`). What also depends on the time
(`now()`, `age(x)`, the input of dates: 'today'), on the session or on the catalogs isn't here.
"""

from __future__ import annotations

from collections.abc import Callable

TIME_ZONE = ("TimeZone",)
_LOCALE = ("lc_numeric", "lc_monetary")
_SEARCH = ("default_text_search_config",)
# Settings that a view may pin.
PINNABLE = (
    "TimeZone", "DateStyle", "IntervalStyle", "extra_float_digits", "bytea_output", *_SEARCH, "lc_time", *_LOCALE,
    "timezone_abbreviations",
)  # fmt: skip
# What the text of a built-in type follows; `frontend.volatility` adds it to functions of any type.
TEXT_FOLLOWS: dict[str, tuple[str, ...]] = {
    "date": ("DateStyle",),
    "timestamp": ("DateStyle",),
    "timestamptz": ("TimeZone", "DateStyle"),
    "interval": ("IntervalStyle",),
    "bytea": ("bytea_output",),
    "money": ("lc_monetary",),
    **dict.fromkeys(
        ("float4", "float8", "point", "line", "lseg", "box", "path", "polygon", "circle"), ("extra_float_digits",)
    ),
}
_SHORT = {
    "tstz": "timestamp with time zone", "ts": "timestamp without time zone", "time": "time without time zone",
    "timetz": "time with time zone", "any": '"any"', "float8": "double precision", "float4": "real", "int8": "bigint",
    "int4": "integer",
}  # fmt: skip

_TABLE: dict[tuple[str, ...], str] = {
    TIME_ZONE: """
        date_trunc(text,tstz) date_part(text,tstz) extract(text,tstz) date(tstz) time(tstz) timetz(tstz) timestamp(tstz)
        timestamptz(date) timestamptz(ts) timestamptz(date,time) timezone(tstz) timezone(ts) age(tstz,tstz)
        timestamptz_pl_interval(tstz,interval) timestamptz_mi_interval(tstz,interval)
        interval_pl_timestamptz(interval,tstz) date_add(tstz,interval) date_subtract(tstz,interval)
        generate_series(tstz,tstz,interval) make_timestamptz(int4,int4,int4,int4,int4,float8)
        in_range(tstz,tstz,interval,boolean,boolean) overlaps(tstz,interval,tstz,interval)
        overlaps(tstz,interval,tstz,tstz) overlaps(tstz,tstz,tstz,interval)
        jsonb_path_exists_tz(jsonb,jsonpath,jsonb,boolean)
        jsonb_path_match_tz(jsonb,jsonpath,jsonb,boolean) jsonb_path_query_array_tz(jsonb,jsonpath,jsonb,boolean)
        jsonb_path_query_first_tz(jsonb,jsonpath,jsonb,boolean) jsonb_path_query_tz(jsonb,jsonpath,jsonb,boolean)
    """,
    ("timezone_abbreviations",): "make_timestamptz(int4,int4,int4,int4,int4,float8,text)",
    ("TimeZone", "lc_time"): "to_char(tstz,text)",
    ("TimeZone", "lc_time", "timezone_abbreviations"): "to_timestamp(text,text)",
    ("lc_time",): "to_char(ts,text) to_date(text,text)",
    ("lc_time", *_LOCALE): "to_char(interval,text)",
    _LOCALE: """
        to_char(int4,text) to_char(int8,text) to_char(numeric,text) to_char(float4,text) to_char(float8,text)
        to_number(text,text)
    """,
    ("lc_monetary",): "money(int4) money(int8) money(numeric) numeric(money)",
    _SEARCH: """
        to_tsvector(text) to_tsvector(json) to_tsvector(jsonb) json_to_tsvector(json,jsonb)
        jsonb_to_tsvector(jsonb,jsonb)
        to_tsquery(text) plainto_tsquery(text) phraseto_tsquery(text) websearch_to_tsquery(text) ts_match_tt(text,text)
        ts_match_tq(text,tsquery) ts_headline(text,tsquery) ts_headline(text,tsquery,text) ts_headline(json,tsquery)
        ts_headline(json,tsquery,text) ts_headline(jsonb,tsquery) ts_headline(jsonb,tsquery,text)
    """,
    # The encoding is the database's own, for good.
    (): """
        convert_from(bytea,name) convert_to(text,name) length(bytea,name) format(text)
        json_build_object() json_build_array() jsonb_build_object() jsonb_build_array()
        concat(any) concat_ws(text,any) format(text,any) quote_literal(anyelement) quote_nullable(anyelement)
        textanycat(text,anynonarray) anytextcat(anynonarray,text) array_to_string(anyarray,text)
        array_to_string(anyarray,text,text) to_json(anyelement) to_jsonb(anyelement) row_to_json(record)
        row_to_json(record,boolean) array_to_json(anyarray) array_to_json(anyarray,boolean)
        json_build_object(any) json_build_array(any) jsonb_build_object(any) jsonb_build_array(any)
        json_agg(anyelement) json_agg_strict(anyelement) jsonb_agg(anyelement) jsonb_agg_strict(anyelement)
        json_object_agg(any,any) json_object_agg_strict(any,any) json_object_agg_unique(any,any)
        json_object_agg_unique_strict(any,any) jsonb_object_agg(any,any) jsonb_object_agg_strict(any,any)
        jsonb_object_agg_unique(any,any) jsonb_object_agg_unique_strict(any,any)
    """,
}


def _expanded(signature: str) -> str:
    name, _, arguments = signature.rstrip(")").partition("(")
    types = [_SHORT.get(argument, argument) for argument in arguments.split(",") if argument]
    return f"{name}({', '.join(types)})"


def _comparisons() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for other in ("date", "timestamp"):
        for test in ("cmp", "eq", "ne", "lt", "le", "gt", "ge"):
            short = "ts" if other == "timestamp" else other
            found[_expanded(f"{other}_{test}_timestamptz({short},tstz)")] = TIME_ZONE
            found[_expanded(f"timestamptz_{test}_{other}(tstz,{short})")] = TIME_ZONE
    return found


# Signature, as pg_proc has it -> the settings that the function follows, whatever it is called with.
FOLLOWS: dict[str, tuple[str, ...]] = {
    _expanded(signature): settings for settings, text in _TABLE.items() for signature in text.split()
} | _comparisons()


def is_polymorphic(arguments: str) -> bool:
    """The function writes out values of any type."""
    return "any" in arguments or arguments.startswith("record")


# Maintenance tells rows apart by their text and keeps changes as text inside a statement. Under some values of a
# setting different values have one text; -> what to use instead, or nothing.
LOSSY: dict[str, Callable[[str], str]] = {
    "DateStyle": lambda value: "" if value.startswith("ISO") else "DateStyle = 'ISO, …'",
    "IntervalStyle": lambda value: "" if value in ("postgres", "iso_8601") else "IntervalStyle = 'postgres'",
    "extra_float_digits": lambda value: "" if int(value) >= 1 else "extra_float_digits = 1",
}
