"""A wholesale shop on TPC-H data whose dashboards are incremental views."""


class DemoError(Exception):
    """The demo can't go on; the message says why."""
