"""Signals. `sender` is the engine's `View` class, `view` the view's name, `using` the database's alias.

`pre_refresh`     before a refresh.
`post_refresh`    after one, also a failed one; `result` is its `RefreshResult`.
`fell_back`       a view can't be kept incrementally and is refreshed in full; `reason` says why.
`view_installed`  after a view was installed or re-attached.
"""

from __future__ import annotations

from django.dispatch import Signal

pre_refresh = Signal()
post_refresh = Signal()
fell_back = Signal()
view_installed = Signal()
