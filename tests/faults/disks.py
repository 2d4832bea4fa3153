"""No room: on the disk of the views, on the disk of everything."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.db import DatabaseError

from .cluster import Cluster
from .limits import SMALLER, bulk
from .outcome import Outcome
from .workload import LOST, states, until, writing
from .world import World, modes

DISK_FULL = frozenset({"53100"})


def no_mount() -> str:
    """Why no small file system can be made here."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "mounting a small file system takes root"
    with tempfile.TemporaryDirectory() as probe:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", probe]
        try:
            done = subprocess.run(mount, capture_output=True, text=True)
            if done.returncode == 0:
                subprocess.run(["umount", probe], check=True)
        except OSError as error:
            return f"mount: {error}"
    return "" if done.returncode == 0 else f"mount: {done.stderr.strip()}"


@contextlib.contextmanager
def small_disk(cluster: Cluster, megabytes: int) -> Iterator[Path]:
    """A file system of that size, for a tablespace."""
    disk = cluster.directory / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", disk], check=True)
    try:
        cluster.give(disk)
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
        disk.rmdir()


def _fill(disk: Path, but: int) -> Path:
    """Take all room but so many bytes."""
    ballast = disk / "ballast"
    found = os.statvfs(disk)
    with open(ballast, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(found.f_bavail * found.f_frsize - but, 4096))
    return ballast


def full_disk(world: World) -> Outcome:
    """The tablespace of the views and their state is full; then there is room again."""
    kept = [(world.kind[name], world.mode[name]) for name in world.queries]
    outcome = Outcome()
    world.drop_all()
    with small_disk(world.cluster, 48) as disk:
        (disk / "space").mkdir()
        world.cluster.give(disk / "space")
        try:
            world.run(f"CREATE TABLESPACE small LOCATION '{disk / 'space'}'")
            world.run("ALTER DATABASE postgres SET default_tablespace = small")
            world.recover()
            for kind, mode in kept:
                world.view(kind, mode)
            for _ in range(3):
                ballast = _fill(disk, world.rng.randint(1, 40) * 8192)
                counts = bulk(world, DISK_FULL)
                counts[_reinstalled(world)] += 1
                ballast.unlink()
                outcome.add(Outcome.of(counts, DISK_FULL))
                outcome.add(world.judge())
                world.run(SMALLER)
        finally:
            world.run("ALTER DATABASE postgres RESET default_tablespace")
            world.recover()
            world.run(SMALLER)
            world.drop_all()
            world.run("CHECKPOINT")
            world.run("DROP TABLESPACE small")
    for kind, mode in kept:
        world.view(kind, mode)
    return outcome


def _reinstalled(world: World) -> str:
    """Install one more view where there is no room: as a whole, or not at all."""
    name = world.name("different", world.rng.choice(modes()))
    if any(row == ("view", name) for row in world.objects()):
        return "ok"
    before = world.objects()
    try:
        world.view("different", world.mode[name])
    except DatabaseError as error:
        world.recover()
        assert world.objects() == before, f"half of {name} was installed"
        world.forget(name)
        return getattr(error.__cause__, "sqlstate", None) or ""
    return "ok"


def no_limits() -> str:
    return "" if hasattr(resource, "prlimit") else "limits of another process can be set on Linux only"


def full_log_disk(world: World) -> Outcome:
    """No process of the server can write beyond a file's first pages any more: when that meets the write-ahead log it
    panics, throws all sessions out, and recovers."""
    limit = world.rng.choice((8192, 1 << 16))
    before = _crashes(world)
    with writing(world.connect, world.rng, 3) as writers:
        children = [process.pid for process in world.cluster.processes()[1:]]
        _limit(children, limit)
        with contextlib.suppress(AssertionError):
            until(lambda: not any(writer.is_alive() for writer in writers), 2)
    world.cluster.wait()
    _limit(children, resource.RLIM_INFINITY)
    told = f"{limit} bytes, {'the server crashed' if _crashes(world) > before else 'errors only'}"
    return Outcome.of(states(writers), LOST | {"EFBIG"}).with_told(told)


def _crashes(world: World) -> int:
    """How often the server has thrown everybody out; told by its first process, whose log may grow."""
    return world.cluster.server.log.count("all server processes terminated; reinitializing")


def _limit(pids: list[int], size: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
