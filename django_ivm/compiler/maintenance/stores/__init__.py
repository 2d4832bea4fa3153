"""One file per way of storing a maintained relation."""

from .aggregate import AggregateStore
from .bag import BagStore
from .base import COUNTS, FEW, Store, StoredColumn
from .keyed import KeyedStore
from .partition import PartitionStore
from .recursive import RecursiveStore
from .top_n import TopNStore

__all__ = [
    "COUNTS",
    "FEW",
    "AggregateStore",
    "BagStore",
    "KeyedStore",
    "PartitionStore",
    "RecursiveStore",
    "Store",
    "StoredColumn",
    "TopNStore",
]
