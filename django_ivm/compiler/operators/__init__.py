"""The operators, one file each. A new one is a file here and a line in this list."""

from .aggregate import Aggregate
from .constant import Constant
from .crossing import Crossing
from .distinct import Distinct
from .expand import Expand
from .filter import Filter
from .flip import Flip, Held
from .functions import Call
from .join import Join
from .opaque import Opaque
from .outer_join import OuterJoin
from .project import Project
from .recursive import Recursive
from .scan import Scan
from .semi_join import SemiJoin
from .set_operation import SetOperation
from .top_n import SortKey, TopN
from .union import Union
from .window import Window

OPERATORS = (
    Scan, Constant, Filter, Project, Expand, Join, OuterJoin, SemiJoin, Union, Distinct, SetOperation, Aggregate,
    Window, TopN, Recursive, Opaque, Flip, Held, Crossing,
)  # fmt: skip

__all__ = [
    "OPERATORS",
    "Aggregate",
    "Call",
    "Constant",
    "Crossing",
    "Distinct",
    "Expand",
    "Filter",
    "Flip",
    "Held",
    "Join",
    "Opaque",
    "OuterJoin",
    "Project",
    "Recursive",
    "Scan",
    "SemiJoin",
    "SetOperation",
    "SortKey",
    "TopN",
    "Union",
    "Window",
]
