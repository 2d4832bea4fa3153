"""Incremental view maintenance for Django and PostgreSQL: a view is a model, PostgreSQL triggers keep it
exact.

Everything but the errors is imported on first use: `from django_ivm import IncrementalView` must work in a
`models.py` while apps are still loading, and a site that only reads its views must never load the compiler.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .errors import (
    DefinitionError,
    DependencyCycleError,
    IVMError,
    NotIncrementalError,
    NotInstalledError,
    ReadOnlyViewError,
    RefreshError,
)

if TYPE_CHECKING:
    from .base import IncrementalView
    from .engine.analyse import analyse
    from .engine.results import Explanation, Reason, RefreshResult, VerifyResult, ViewStatus
    from .engine.view import View, create_view, drop_view, get_view

__all__ = [
    "DefinitionError",
    "DependencyCycleError",
    "Explanation",
    "IVMError",
    "IncrementalView",
    "NotIncrementalError",
    "NotInstalledError",
    "ReadOnlyViewError",
    "Reason",
    "RefreshError",
    "RefreshResult",
    "VerifyResult",
    "View",
    "ViewStatus",
    "analyse",
    "create_view",
    "drop_view",
    "get_view",
]

_LAZY = {
    "IncrementalView": "base",
    "View": "engine.view",
    "create_view": "engine.view",
    "get_view": "engine.view",
    "drop_view": "engine.view",
    "analyse": "engine.analyse",
    "Explanation": "engine.results",
    "Reason": "engine.results",
    "RefreshResult": "engine.results",
    "VerifyResult": "engine.results",
    "ViewStatus": "engine.results",
}
_MODULES = frozenset({"compiler", "engine", "signals", "registry"})


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
