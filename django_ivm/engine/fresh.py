"""Fresh on read: bring a view up to date before it is read, or tell what to read instead."""

from __future__ import annotations

from django.db import connections

from ..errors import IVMError
from . import drain, register, residual, witness
from .order import ancestors
from .register import InstalledView
from .view import View


def freshen(view: View) -> None:
    """Refresh the view, and before it every view that it reads, where they aren't fresh.

    A view that its triggers keep costs a look; one over tables that no trigger watches is computed anew each time.
    """
    found = view._found()
    with connections[view.using].cursor() as cursor:
        views = register.all_views(cursor)
    above = ancestors({one.full_name: one.parents for one in views})[found.full_name]
    for one in (*(one for one in views if one.full_name in above), found):
        handle = View(one.name, view.using, one.schema)
        if drain.deferred(one) or not handle.is_fresh():
            handle.refresh(trigger="fresh")


def to_read(view: View) -> str | None:
    """The relation from which to read the view with what is pending added; None for its own table, where nothing is.

    Raises IVMError (code RESIDUAL) where neither will do.
    """
    found = view._found()
    if not drain.deferred(found):
        if view.is_fresh():
            return None
        raise _refused(found, "it is stale, or has changes that this transaction made")
    table = residual.table_of(found)
    if table is None:
        raise _refused(found, found.objects.get("no_residual") or "it isn't installed whole")
    with connections[view.using].cursor() as cursor:
        if not register.intact(cursor, found):
            raise _refused(found, "it isn't installed whole")
        if doubts := witness.doubts(cursor, found):
            raise _refused(found, "; ".join(doubts))
    return table


def _refused(view: InstalledView, why: str) -> IVMError:
    return IVMError(
        f"{view.name} can't be read with what is pending added: {why}",
        code="RESIDUAL",
        hint="Use fresh(), which refreshes it first.",
    )
