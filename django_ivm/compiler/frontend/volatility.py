"""Functions that a maintained view may call: immutable ones, owned by someone the owner trusts."""

from __future__ import annotations

from ..errors import Unsupported
from ..pg.catalog import Catalog


def check_functions(catalog: Catalog) -> None:
    """Raises Unsupported for a volatile or stable expression, or an untrusted function."""
    for function in catalog.functions:
        shown = f"the operation {function.operator}" if function.operator else f"{function.name}()"
        find = f"op:{_symbol(function.operator)}" if function.operator else f"func:{function.name}"
        if function.volatility == "v":
            raise Unsupported("VOLATILE", f"{shown} gives another value at every call", find)
        if function.volatility == "s":
            raise Unsupported("STABLE", f"{shown} depends on the session or the time", find)
        if not function.trusted:
            raise Unsupported("FUNCTION_OWNER", f"{shown} is owned by neither the view's owner nor a superuser", find)
    for what, volatility in catalog.mutable:
        code = "VOLATILE" if volatility == "v" else "STABLE"
        raise Unsupported(code, f"{what} depends on the session or the time", "CAST" if "cast" in what else "CURRENT")


def _symbol(operator: str) -> str:
    """The operator itself, out of `date <= timestamp`."""
    return next(word for word in operator.split() if not word[0].isalnum())
