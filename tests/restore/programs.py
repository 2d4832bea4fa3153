"""PostgreSQL's client programs: where they are, and how the tests call them."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from django_ivm import embedded

_TIMEOUT = 300  # seconds; a program that hangs fails its test


@dataclass(frozen=True)
class Programs:
    """pg_dump, pg_restore and psql of one installation."""

    directory: Path
    major: int
    libraries: str = ""

    def run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Output as text. Unless `check` is False, a failure fails the test with what the program said."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        if self.libraries:
            environment["LD_LIBRARY_PATH"] = self.libraries
        done = subprocess.run(
            [self.directory / program, *arguments],
            check=False, capture_output=True, text=True, timeout=_TIMEOUT, env=environment,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{program} {' '.join(arguments)} failed:\n{done.stderr}"
        return done

    def psql(self, url: str, *, file: Path | None = None, command: str = "", check: bool = True) -> str:
        """Run a file or commands and stop at the first error; without `check` go on, as psql does by itself.
        What went wrong is returned."""
        what = ["-f", str(file)] if file else ["-c", command]
        stop = ["-v", "ON_ERROR_STOP=1"] if check else []
        return self.run("psql", "-X", "-q", "-d", url, *stop, *what, check=check).stderr


def find(url: str) -> Programs | str:
    """The first programs that are as new as the server of `url`, or why there are none."""
    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10000
    seen = []
    for directory, libraries in _places():
        found = _major(directory, libraries)
        if found >= major and all((directory / name).exists() for name in ("pg_restore", "psql")):
            return Programs(directory, found, libraries)
        if found:
            seen.append(f"{found} in {directory}")
    return f"no pg_dump of PostgreSQL {major} or later (found: {', '.join(seen) or 'none'})"


def _places() -> Iterator[tuple[Path, str]]:
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent, ""
    try:
        found = embedded.find()
        yield found.directory, found.libraries
    except embedded.EmbeddedError:
        pass
    for directory in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        yield directory, ""


@functools.cache
def _major(directory: Path, libraries: str) -> int:
    if not (directory / "pg_dump").exists():
        return 0
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None
    answer = subprocess.run(
        [directory / "pg_dump", "--version"], check=False, capture_output=True, text=True, env=environment
    )
    number = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(number[1]) if number else 0
