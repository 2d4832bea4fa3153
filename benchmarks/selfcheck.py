"""Are the views right? Random statements, alone and from several connections, against the query itself."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors, sql

from . import data
from .core import BenchError, Scenario, Sizes

if TYPE_CHECKING:
    from .arms import Arm

SIZES = Sizes(rows=60, bulk=10, customers=6, products=4, groups=5)

NAME = re.compile(r":(\w+)")

EXPECTED = (
    errors.IntegrityError,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
)
"""What random statements may run into; they are rolled back then, and the view must still be right."""


class Statements:
    """Random statements of a scenario, from a seed. ``worker`` keeps the ids of parallel sources apart."""

    def __init__(self, scenario: Scenario, seed: int, worker: int = 0) -> None:
        self.rng = random.Random(f"{scenario.key}-{seed}-{worker}")
        self.texts = scenario.fuzz
        self.last = 10_000_000 * (worker + 1)

    def _literal(self, name: str) -> str:
        rng = self.rng
        if name == "fresh":
            self.last += 1000
            return str(self.last)
        if name == "few":
            return str(rng.randrange(1, 41))
        if name == "mod":
            return str(rng.randrange(2, 9))
        if rng.random() < 0.15:
            return "NULL"
        if name == "group":
            return str(rng.randrange(SIZES.groups + 2))
        if name == "amount":
            return f"{rng.randrange(-500, 500) / 100:.2f}"
        if name == "customer":
            return str(rng.randrange(1, SIZES.customers + 1))
        if name == "product":
            return str(rng.randrange(1, SIZES.products + 1))
        if name == "region":
            return f"'r{rng.randrange(3)}'"
        raise AssertionError(name)

    def next(self) -> str:
        return NAME.sub(lambda m: self._literal(m.group(1)), self.rng.choice(self.texts))


def _execute(conn: psycopg.Connection, text: str) -> None:
    conn.execute(text.encode())


def _fresh(admin: psycopg.Connection, arm: Arm, scenario: Scenario) -> None:
    data.make_master(admin, scenario, SIZES)
    data.copy_to(admin, scenario, arm.schema)
    arm.install(scenario)


def alone(admin: psycopg.Connection, arm: Arm, scenario: Scenario, seed: int, steps: int) -> int:
    """One connection, the view compared after every step, a transaction that is sometimes rolled back.

    :returns: how many steps changed something.
    :raises WrongView: the view differs; the message holds the statement.
    """
    _fresh(admin, arm, scenario)
    data.assert_equal(arm, scenario, "after the fill")
    source = Statements(scenario, seed)
    changed = 0
    with arm.connect() as conn:
        for number in range(steps):
            texts = [source.next() for _ in range(source.rng.choice((1, 1, 1, 2, 3)))]
            if source.rng.random() < 0.02:
                # Alone: a pending check of a deferred foreign key forbids it.
                texts = [f"TRUNCATE {scenario.tables[-1].name}"]
            outcome = source.rng.random()
            try:
                with conn.transaction():
                    for text in texts:
                        _execute(conn, text)
                    if outcome < 0.1:
                        raise psycopg.Rollback
                    changed += 1
            except EXPECTED:
                pass
            data.assert_equal(arm, scenario, f"at step {number} of seed {seed} after: {'; '.join(texts)}")
    return changed


def notices(admin: psycopg.Connection, arm: Arm, scenario: Scenario) -> None:
    """:raises BenchError: the comparison finds nothing wrong with a view whose triggers are switched off."""
    _fresh(admin, arm, scenario)
    table = sql.Identifier(scenario.tables[-1].name)
    with arm.connect() as conn:
        conn.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
        conn.execute(sql.SQL("DELETE FROM {} WHERE id IN (3, 4, 5)").format(table))
    missing, unexpected, _ = data.difference(arm, scenario)
    if not missing and not unexpected:
        raise BenchError(f"scenario {scenario.key}: the comparison did not notice a stale view")


def together(admin: psycopg.Connection, arm: Arm, scenario: Scenario, seed: int, seconds: float, level: str) -> int:
    """Five connections write at once under one isolation level; the view is compared at the end.

    :returns: committed transactions.
    """
    _fresh(admin, arm, scenario)
    committed = [0] * 5
    trouble: list[BaseException] = []
    deadline = time.monotonic() + seconds

    def work(i: int) -> None:
        source = Statements(scenario, seed, i)
        try:
            with arm.connect() as conn:
                conn.execute("SET deadlock_timeout = '50ms'" if _superuser(conn) else "SELECT 1")
                conn.execute(sql.SQL("SET default_transaction_isolation = {}").format(sql.Literal(level)))
                while time.monotonic() < deadline:
                    try:
                        with conn.transaction():
                            for _ in range(source.rng.choice((1, 1, 2))):
                                _execute(conn, source.next())
                                if source.rng.random() < 0.3:
                                    time.sleep(0.002)
                        committed[i] += 1
                    except EXPECTED:
                        pass
        except Exception as e:  # noqa: BLE001 - handed to the caller below
            trouble.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(committed))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if trouble:
        raise BenchError(f"scenario {scenario.key}, {arm.label}: {trouble[0]}") from trouble[0]
    data.assert_equal(arm, scenario, f"after {sum(committed)} concurrent {level} transactions, seed {seed}")
    return sum(committed)


def _superuser(conn: psycopg.Connection) -> bool:
    return conn.info.parameter_status("is_superuser") == "on"


def check(
    admin: psycopg.Connection,
    arm: Arm,
    scenario: Scenario,
    *,
    seed: int,
    steps: int,
    seconds: float,
    say: Callable[[str], None],
) -> None:
    """All of it for one arm and one scenario.

    :raises BenchError: something is wrong.
    """
    notices(admin, arm, scenario)
    arm.uninstall(scenario)
    changed = alone(admin, arm, scenario, seed, steps)
    arm.uninstall(scenario)
    counts = []
    for level in ("read committed", "repeatable read"):
        counts.append(f"{together(admin, arm, scenario, seed, seconds, level)} {level}")
        arm.uninstall(scenario)
    data.drop(admin, arm.schema)
    say(
        f"scenario {scenario.key}, {arm.label}: right after each of {steps} steps ({changed} committed)"
        f" and after {' and '.join(counts)} concurrent transactions"
    )
