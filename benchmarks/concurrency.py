"""Several clients insert single rows at once: each into a group of its own, or all into one."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import errors

from .core import BenchError, Scenario
from .measure import turns

if TYPE_CHECKING:
    from .arms import Arm

HELD_MS = 5

TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


def find_pgbench() -> str | None:
    """pgbench beside the embedded server, else on the PATH."""
    try:
        from django_ivm import embedded

        beside = Path(embedded.find().directory) / "pgbench"
        if beside.exists():
            return str(beside)
    except Exception:  # noqa: BLE001 - any trouble means: look elsewhere
        pass
    return shutil.which("pgbench")


def cases(scenario: Scenario, *, held: bool) -> list[tuple[str, int, str, bool]]:
    """(label, clients, statement, transaction held open) of each case."""
    found = [
        (f"{clients} clients, {label}", clients, text, False)
        for clients in (4, 8)
        for label, text in scenario.inserts.items()
    ]
    if held:
        found += [(f"8 clients, {label}, held {HELD_MS} ms", 8, text, True) for label, text in scenario.inserts.items()]
    return found


def concurrency_rounds(
    arms: Sequence[Arm],
    scenario: Scenario,
    *,
    rounds: int,
    seconds: int,
    held: bool,
    step: Callable[[str], None],
) -> dict[str, dict[str, dict[str, float]]]:
    """By case and arm: ``tps``, the median of the rounds, and ``failed``, deadlocks and the like in all."""
    pgbench = find_pgbench()
    tps: dict[tuple[str, str], list[float]] = defaultdict(list)
    failed: dict[tuple[str, str], int] = defaultdict(int)
    plan = cases(scenario, held=held)
    for number in range(rounds):
        for label, clients, text, hold in plan:
            for arm in turns(arms, number):
                run = _with_pgbench if pgbench else _with_threads
                speed, failures = run(pgbench or "", arm, text, clients, seconds, hold)
                tps[label, arm.key].append(speed)
                failed[label, arm.key] += failures
                step(f"{scenario.key} {label}: {arm.label}")
    return {
        label: {
            arm.key: {"tps": statistics.median(tps[label, arm.key]), "failed": failed[label, arm.key]} for arm in arms
        }
        for label, *_ in plan
    }


def _with_pgbench(pgbench: str, arm: Arm, text: str, clients: int, seconds: int, hold: bool) -> tuple[float, int]:
    with tempfile.NamedTemporaryFile("w", suffix=".pgbench", encoding="utf-8") as script:
        script.write(f"BEGIN;\n{text};\n\\sleep {HELD_MS} ms\nCOMMIT;\n" if hold else f"{text};\n")
        script.flush()
        done = subprocess.run(
            [pgbench, "-nM", "prepared", "-c", str(clients), "-j", str(min(clients, os.cpu_count() or 1)),
             "-T", str(seconds), "-f", script.name, arm.dsn],
            env={**os.environ, "PGOPTIONS": f"-c search_path={arm.schema},public -c synchronous_commit=off"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    speed = TPS.search(done.stdout)
    if done.returncode or not speed:
        raise BenchError(f"pgbench failed on {arm.label}:\n{done.stderr.strip()[-2000:]}")
    failures = FAILED.search(done.stdout)
    return float(speed.group(1)), int(failures.group(1)) if failures else 0


def _with_threads(
    pgbench: str,
    arm: Arm,
    text: str,
    clients: int,
    seconds: int,
    hold: bool,
) -> tuple[float, int]:
    """The same with threads, where pgbench is missing; Python itself then limits the faster arms."""
    done = [0] * clients
    failures = [0] * clients
    deadline = time.perf_counter() + seconds
    trouble: list[BaseException] = []

    def work(i: int) -> None:
        try:
            with arm.connect() as conn:
                conn.prepare_threshold = 0
                statement = text.replace(":client_id", str(i)).encode()
                while time.perf_counter() < deadline:
                    try:
                        with conn.transaction():
                            conn.execute(statement)
                            if hold:
                                time.sleep(HELD_MS / 1000)
                        done[i] += 1
                    except (errors.DeadlockDetected, errors.SerializationFailure):
                        failures[i] += 1
        except Exception as e:  # noqa: BLE001 - handed to the caller below
            trouble.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if trouble:
        raise BenchError(f"{arm.label}: {trouble[0]}") from trouble[0]
    return sum(done) / seconds, sum(failures)
