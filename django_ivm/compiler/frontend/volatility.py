"""Functions that a maintained view may call: immutable ones, owned by someone the owner trusts."""

from __future__ import annotations

from ..errors import Unsupported
from ..pg.catalog import Catalog


def check_functions(catalog: Catalog) -> None:
    """Raises Unsupported for a volatile or stable expression, or an untrusted function."""
    for function in catalog.functions:
        find = f"func:{function.name}"
        if function.volatility == "v":
            raise Unsupported("VOLATILE", f"{function.name}() gives another value at every call", find)
        if function.volatility == "s":
            raise Unsupported(
                "STABLE", f"{function.name}() depends on the session or the time", find
            )
        if not function.trusted:
            raise Unsupported(
                "FUNCTION_OWNER", f"{function.name}() is owned by neither the view's owner nor a superuser", find
            )
    for what, volatility in catalog.mutable:
        code = "VOLATILE" if volatility == "v" else "STABLE"
        raise Unsupported(code, f"{what} depends on the session or the time", "CAST" if "cast" in what else "CURRENT")
