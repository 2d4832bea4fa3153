"""The compiler: a view's canonical SQL and a catalog in, an installation out. Pure: no Django, no database driver.

Loaded on first use: a process that only reads and refreshes views never imports the parser.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import CompileError, Reason
    from .options import Options
    from .pg.catalog import Catalog
    from .pipeline import compile_view
    from .trace import Trace
    from .triggers.installation import Installation

__all__ = ["Catalog", "CompileError", "Installation", "Options", "Reason", "Trace", "compile_view"]

_HOMES = {
    "Catalog": "pg.catalog",
    "CompileError": "errors",
    "Installation": "triggers.installation",
    "Options": "options",
    "Reason": "errors",
    "Trace": "trace",
    "compile_view": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
