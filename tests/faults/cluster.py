"""A server of a test's own that can be killed and started again with the data that its death left."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg

from django_ivm import embedded
from django_ivm.embedded import directories, server

LIMIT = 60.0  # seconds after which a server that doesn't come back is an error

# As a real server has them: what is tested is that nothing depends on luck with the disk.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "max_connections": "40",
    "max_prepared_transactions": "5",
    "deadlock_timeout": "100ms",
    "shared_buffers": "32MB",
    "checkpoint_timeout": "30s",
}


class Cluster:
    """A running server and its data directory. `url` stays the same over its deaths."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.settings = SETTINGS | dict(settings or {})
        self.server = embedded.start(self.settings)
        self.url = self.server.url
        self.deaths = 0

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *raised: object) -> None:
        self.server.stop()

    @property
    def directory(self) -> Path:
        return self.server.dir

    @property
    def dead(self) -> bool:
        """It was killed or shut down, and not started since."""
        return self.server._process is None or self.server._process.poll() is not None

    @property
    def pid(self) -> int:
        return self.server.pid

    def connect(self, **arguments: Any) -> psycopg.Connection[Any]:
        """A session in autocommit, unless told otherwise."""
        return psycopg.connect(self.url, **{"autocommit": True, **arguments})

    def processes(self) -> list[psutil.Process]:
        """The server's first process and all that it started."""
        first = psutil.Process(self.pid)
        return [first, *first.children(recursive=True)]

    def kill(self) -> None:
        """SIGKILL to every process of the server: none of them can write, flush or say anything any more."""
        dying = self.processes()
        for process in dying:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        self._bury(dying)

    def shut_down(self, how: signal.Signals) -> None:
        """SIGQUIT: at once, without a checkpoint; SIGINT: fast, with one."""
        dying = self.processes()
        dying[0].send_signal(how)
        self._bury(dying)

    def _bury(self, dying: list[psutil.Process]) -> None:
        end = time.monotonic() + LIMIT
        while any(map(_runs, dying)):
            assert time.monotonic() < end, "a process of the server survived"
            time.sleep(0.002)
        assert self.server._keeper is not None
        self.server._keeper.join(LIMIT)
        self.deaths += 1

    def restart(self, **settings: str) -> None:
        """Start again over the same data; the settings stay for later starts too."""
        self.settings |= settings
        found, mode = self._programs()
        command = server._command(found, self.directory, self.settings)
        held = directories.lock(self.directory / directories.SERVER_LOCK, wait=True)
        assert held is not None
        try:
            server._launch(self.server, command, found, mode, held)
        finally:
            os.close(held)
        server._wait_until_ready(self.server)
        self.wait()

    def _programs(self) -> tuple[embedded.Binaries, str]:
        mode, found = server._mode(embedded.find(), directories.root_of(self.directory))
        return found, mode

    def through(self, command: list[str]) -> list[str]:
        """The command line that runs a program as the user that the server runs as, gone when this process is."""
        found, mode = self._programs()
        return server._through_exec(mode, found, command)

    def give(self, path: Path) -> None:
        """Make a directory the server's own."""
        server._give(path, self._programs()[1])

    def wait(self) -> None:
        """Until it takes connections again, as after the death of one of its processes."""
        end = time.monotonic() + LIMIT
        while True:
            try:
                self.connect(connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < end, f"the server doesn't come back:\n{self.server.log[-3000:]}"
                time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
