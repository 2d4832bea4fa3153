"""The operators, one file each. A new one is a file here and a line in this list."""

from .aggregate import Aggregate
from .distinct import Distinct
from .filter import Filter
from .functions import Call
from .join import Join
from .opaque import Opaque
from .project import Project
from .scan import Scan
from .top_n import SortKey, TopN
from .union import Union

OPERATORS = (Scan, Filter, Project, Join, Union, Distinct, Aggregate, TopN, Opaque)

__all__ = [
    "OPERATORS",
    "Aggregate",
    "Call",
    "Distinct",
    "Filter",
    "Join",
    "Opaque",
    "Project",
    "Scan",
    "SortKey",
    "TopN",
    "Union",
]
