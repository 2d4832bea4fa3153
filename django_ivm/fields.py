"""A view's fields against its query's outputs: which goes with which, and what to write where they differ."""

from __future__ import annotations

import difflib
import keyword
import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Field, Model

from .queryset import Output


@dataclass(frozen=True, slots=True)
class Match:
    """`pairs` are (output, field) in the query's order; the rest found no partner."""

    pairs: tuple[tuple[Output, Field[Any, Any]], ...]
    unmatched_outputs: tuple[Output, ...]
    unmatched_fields: tuple[Field[Any, Any], ...]
    repeated: tuple[str, ...] = ()

    @property
    def renames(self) -> tuple[tuple[str, str], ...]:
        """(output's name in SQL, table column) where they differ."""
        return tuple((out.column, field.column) for out, field in self.pairs if out.column != field.column)


def column_fields(model: type[Model]) -> list[Field[Any, Any]]:
    """The fields that must come out of the query: all with a column, except the surrogate key."""
    surrogate = getattr(model, "_ivm_surrogate", None)
    return [f for f in model._meta.concrete_fields if f.column is not None and f.name != surrogate]


def match(model: type[Model], outputs: list[Output], *, by_column: bool) -> Match:
    """Pair outputs with fields: by name, attname, column in that order, or (SQL text) by column alone."""
    fields = column_fields(model)
    keys = ("column",) if by_column else ("name", "attname", "column")
    left = list(fields)
    pairs, unmatched, repeated, taken = [], [], [], set()
    for output in outputs:
        if output.column in taken:
            repeated.append(output.column)
            continue
        taken.add(output.column)
        names = output.names
        if not by_column and "pk" in names and model._meta.pk in left:
            names = (model._meta.pk.name,)
        field = next(
            (f for key in keys for name in names for f in left if getattr(f, key) == name),
            None,
        )
        if field is None:
            unmatched.append(output)
        else:
            left.remove(field)
            pairs.append((output, field))
    return Match(tuple(pairs), tuple(unmatched), tuple(left), tuple(repeated))


def problems(model: type[Model], found: Match, *, by_column: bool) -> list[tuple[str, str, str]]:
    """What is wrong with a match, as (code, message, hint); the codes are those of the system checks."""
    label = model._meta.label
    result = []
    for name in found.repeated:
        result.append(
            (
                "E004",
                f"{label}: the query has two outputs named {name!r}.",
                "Give one of them another name.",
            )
        )
    for output in found.unmatched_outputs:
        name = output.names[0]
        result.append(
            (
                "E004",
                f"{label}: the query's output {name!r} has no field. "
                f"Fields without an output: {_listed(f.name for f in found.unmatched_fields)}.",
                _output_hint(model, output, found, by_column),
            )
        )
    for field in found.unmatched_fields:
        wanted = field.column if by_column else field.name
        outputs = [output.names[0] for output in found.unmatched_outputs]
        result.append(
            (
                "E005",
                f"{label}: the field {field.name!r} has no output of that name in the query. "
                f"Outputs without a field: {_listed(outputs)}.",
                _field_hint(wanted, outputs, by_column),
            )
        )
    return result


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names) or "none"


def _output_hint(model: type[Model], output: Output, found: Match, by_column: bool) -> str:
    name = output.names[0]
    if not by_column and "__" in name:
        alias = field_name(name)
        return (
            f"Give it a plain name in the query: .values({alias}=F({name!r})), "
            f"and add the field: {field_line(output, alias)}"
        )
    folded = [f.column for f in found.unmatched_fields if f.column.lower() == name.lower()]
    if by_column and folded:
        return f'PostgreSQL folds unquoted names to lower case: write AS "{folded[0]}" in the query.'
    return f"Add the field to {model.__name__}: {field_line(output)}"


def _field_hint(wanted: str, outputs: list[str], by_column: bool) -> str:
    close = difflib.get_close_matches(wanted, outputs, n=1)
    if close:
        return f"Is it the output {close[0]!r}? Rename one of the two."
    if by_column:
        return f'Select something AS "{wanted}", or remove the field.'
    return f"Add {wanted!r} to values() or annotate(), or remove the field."


def field_name(output: str) -> str:
    """An output's name made fit for a field: `region__name` gives `region_name`."""
    name = re.sub(r"\W", "_", output).strip("_")
    name = re.sub(r"__+", "_", name)
    if not name or name[0].isdigit():
        name = f"column_{name}".rstrip("_")
    return f"{name}_field" if keyword.iskeyword(name) else name


_SIMPLE = {
    "bigint": "BigIntegerField",
    "integer": "IntegerField",
    "smallint": "SmallIntegerField",
    "text": "TextField",
    "boolean": "BooleanField",
    "date": "DateField",
    "timestamp with time zone": "DateTimeField",
    "timestamp without time zone": "DateTimeField",
    "time without time zone": "TimeField",
    "interval": "DurationField",
    "double precision": "FloatField",
    "real": "FloatField",
    "uuid": "UUIDField",
    "jsonb": "JSONField",
    "json": "JSONField",
    "bytea": "BinaryField",
    "inet": "GenericIPAddressField",
}


def field_line(output: Output, name: str | None = None) -> str:
    """The line of Python that declares a field for an output."""
    source = output.field
    name = name or field_name(output.names[0])
    related = getattr(source, "remote_field", None)
    if related is not None and getattr(related, "model", None) is not None and not isinstance(related.model, str):
        target = related.model._meta.label
        base = re.sub(r"_id$", "", name)
        return (
            f'{base} = models.ForeignKey("{target}", models.DO_NOTHING, null=True, '
            f'db_constraint=False, related_name="+")'
        )
    line = f"{name} = {_field_call(output.type, source)}"
    plain = output.names[0]
    if name != plain and "__" not in plain:
        line = f'{line[:-1]}, db_column="{plain}")'
    return line


def _field_call(type_name: str, source: Field[Any, Any] | None) -> str:
    base, _, modifier = type_name.partition("(")
    modifier, _, rest = modifier.partition(")")
    base = (base + rest).strip()
    if base.endswith("[]"):
        inner = _field_call(type_name.removesuffix("[]"), None).replace("null=True", "").replace(", )", ")")
        return f"ArrayField({inner}, null=True)"
    if base == "numeric":
        digits, _, places = modifier.partition(",")
        return f"models.DecimalField(max_digits={digits or 38}, decimal_places={places or 10}, null=True)"
    if base in ("character varying", "character"):
        return f"models.CharField(max_length={modifier}, null=True)" if modifier else "models.TextField(null=True)"
    if not base and source is not None:
        return f"models.{type(source).__name__}(null=True)"
    return f"models.{_SIMPLE.get(base, 'TextField')}(null=True)"


# Types that a field of the other reads without loss or surprise.
_FAMILIES = (
    {"smallint", "integer", "bigint"},
    {"text", "character varying", "character", "citext", "name"},
    {"numeric"},
    {"real", "double precision"},
    {"json", "jsonb"},
)


def differing_type(field: Field[Any, Any], type_name: str, connection: Any) -> str | None:
    """The field's type in the database when a column of type `type_name` wouldn't read as one of its kind."""
    declared = (field.rel_db_type(connection) if field.primary_key else field.db_type(connection)) or ""
    if not declared or not type_name:
        return None
    ours, theirs = _plain(declared), _plain(type_name)
    if ours == theirs or any(ours in family and theirs in family for family in _FAMILIES):
        return None
    return declared


_SPELLINGS = {
    "varchar": "character varying",
    "bool": "boolean",
    "serial": "integer",
    "bigserial": "bigint",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "int": "integer",
}


def _plain(type_name: str) -> str:
    name = re.sub(r"\([^)]*\)", "", type_name.lower())
    name = re.sub(r"\s+", " ", name).strip()
    return _SPELLINGS.get(name, name)
