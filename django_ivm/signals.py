"""Signals, sent with `sender` the engine's `View` class, `view` (the view's name) and `using` (the database alias).

`pre_refresh`     before a refresh.
`post_refresh`    after one, also a failed one; `result` is its `RefreshResult`.
`fell_back`       a view is kept by full refresh though incremental was asked or possible to ask; `reason` says why.
`view_installed`  after a view was installed or re-attached.
"""

from __future__ import annotations

from django.dispatch import Signal

pre_refresh = Signal()
post_refresh = Signal()
fell_back = Signal()
view_installed = Signal()
