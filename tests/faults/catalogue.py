"""All faults, one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import building, clients, disks, kills, limits, pool, workers
from .outcome import Outcome
from .world import World


def possible() -> str:
    return ""


@dataclass(frozen=True)
class Fault:
    """`inject` makes it happen and leaves a running server; `why_not` says why it is impossible here, or nothing."""

    name: str
    inject: Callable[[World], Outcome]
    why_not: Callable[[], str] = possible

    def run(self, world: World) -> Outcome:
        """Inject it, then judge the views."""
        outcome = self.inject(world)
        world.cluster_is_up()
        judged = world.judge()
        outcome.add(judged)
        return outcome


FAULTS = (
    Fault("server killed while writing", kills.while_writing),
    Fault("server killed, commits not flushed", kills.without_waiting_for_the_disk),
    Fault("server killed while refreshing", kills.while_refreshing),
    Fault("server killed while installing", kills.an_operation),
    Fault("cut off while installing online", building.online_installation, building.no_online),
    Fault("server killed under a worker", workers.lost_server),
    Fault("worker killed", workers.killed),
    Fault("one server process killed", kills.one_backend),
    Fault("server shut down while writing", kills.shut_down),
    Fault("server killed, prepared transactions", kills.prepared_transactions),
    Fault("server killed in a migration", kills.in_a_migration),
    Fault("server killed, unlogged source", kills.unlogged_source),
    Fault("sessions terminated", clients.ended_sessions),
    Fault("sessions terminated while installing", clients.cut_operation),
    Fault("client processes killed", clients.killed_clients),
    Fault("statements cancelled", clients.cancelled_statements),
    Fault("statement_timeout", clients.statement_timeouts),
    Fault("statement_timeout while installing", clients.timed_out_operation),
    Fault("transaction_timeout", clients.transaction_timeouts),
    Fault("idle_in_transaction_session_timeout", clients.idle_transactions),
    Fault("lock_timeout", clients.lock_timeouts),
    Fault("disk of the views full", disks.full_disk, disks.no_mount),
    Fault("disk of the write-ahead log full", disks.full_log_disk, disks.no_limits),
    Fault("out of max_locks_per_transaction", limits.few_locks),
    Fault("temp_file_limit", limits.temporary_files),
    Fault("connections exhausted", limits.no_connections),
    Fault("pool in transaction mode", pool.pool_in_transaction_mode, pool.no_pool),
    Fault("worker behind a pool", pool.worker_behind_a_pool, pool.no_pool),
    Fault("one session for several clients", pool.shared_session),
)
