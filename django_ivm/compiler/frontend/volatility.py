"""Functions that a maintained view may call: immutable ones, owned by someone the owner trusts, and those of
PostgreSQL's own that depend on nothing but settings, which the view then pins to their values at its definition. Those
that follow the time are refused where they stand (`temporal`)."""

from __future__ import annotations

from ..errors import Unsupported
from ..pg.catalog import Catalog, FunctionInfo
from .settings import FOLLOWS, LOSSY, is_polymorphic
from .temporal import is_time


def check_functions(catalog: Catalog) -> None:
    """Raises Unsupported for an expression that is volatile or depends on time or session, or an untrusted function."""
    for function in catalog.functions:
        shown, find = _shown(function)
        settings = FOLLOWS.get(_signature(function)) if function.schema == "pg_catalog" else None
        if function.volatility == "v":
            raise Unsupported("VOLATILE", f"{shown} gives another value at every call", find)
        if settings is None and function.volatility == "s" and not is_time(function):
            raise Unsupported("STABLE", f"{shown} depends on the session or the time", find)
        if not function.trusted:
            raise Unsupported("FUNCTION_OWNER", f"{shown} is owned by neither the view's owner nor a superuser", find)
        if settings is not None and is_polymorphic(function.arguments) and function.opaque:
            message = f"{shown} writes out {function.opaque[0]}, whose text follows more than settings"
            raise Unsupported("STABLE", message, find)
    for cast in catalog.casts:
        if cast.settings is None:
            find = f"view:{cast.within}" if cast.within else "CAST"
            message = f"the cast of {cast.source or 'a complex expression'} to {cast.target}"
            raise Unsupported("STABLE", f"{message} depends on the session or the time", find)
    needed = _needed(catalog)
    for name, value in catalog.settings:
        if name in needed and (lossless := _lossless(name, value)):
            what = f"text written under {name} = '{value}' doesn't tell all values apart"
            raise Unsupported("STABLE", f"{what}; define the view under {lossless}", "")


def pinned_settings(catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """The settings that the query's values follow, with their values at the view's definition. One under which
    different values may have one text isn't pinned: rows couldn't be told apart."""
    needed = _needed(catalog)
    return tuple((name, value) for name, value in catalog.settings if name in needed and not _lossless(name, value))


def _lossless(name: str, value: str) -> str:
    """What to use in the place of a value under which text loses something, or nothing."""
    return LOSSY[name](value) if name in LOSSY else ""


def _needed(catalog: Catalog) -> set[str]:
    needed: set[str] = set()
    for function in catalog.functions:
        if function.schema == "pg_catalog" and (settings := FOLLOWS.get(_signature(function))) is not None:
            needed |= set(settings)
            if is_polymorphic(function.arguments):
                needed |= set(function.text_settings)
    for cast in catalog.casts:
        needed |= set(cast.settings or ())
    return needed


def _signature(function: FunctionInfo) -> str:
    return f"{function.name}({function.arguments})"


def _shown(function: FunctionInfo) -> tuple[str, str]:
    """What a message calls it, and what to look for in the user's text."""
    shown = f"the operation {function.operator}" if function.operator else f"{function.name}()"
    if function.within:
        return f"{shown} in the view {function.within}", f"view:{function.within}"
    return shown, f"op:{_symbol(function.operator)}" if function.operator else f"func:{function.name}"


def _symbol(operator: str) -> str:
    """The operator itself, out of `date <= timestamp`."""
    return next(word for word in operator.split() if not word[0].isalnum())
