"""The compiler: a view's canonical SQL and a catalog in, an installation out. Pure: no Django, no database driver."""

from .errors import CompileError, Reason
from .options import Options
from .pg.catalog import Catalog
from .pipeline import compile_view
from .trace import Trace
from .triggers.installation import Installation

__all__ = ["Catalog", "CompileError", "Installation", "Options", "Reason", "Trace", "compile_view"]
