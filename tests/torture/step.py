"""What a script of a transaction is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Copy:
    """Rows sent by COPY."""

    into: str
    rows: str


Step = str | Copy

# A step that begins so may fail: it stands between SAVEPOINT maybe and RELEASE maybe, and a failure is rolled back to it.
MAYBE = "/* maybe */ "


def maybe(*statements: str) -> list[Step]:
    """Statements that may be refused without ending the transaction."""
    return ["SAVEPOINT maybe", *(MAYBE + statement for statement in statements), "RELEASE SAVEPOINT maybe"]


def told(script: Sequence[Step]) -> str:
    """A script as text that psql runs."""
    return "\n".join(f"{step.into};\n{step.rows}\\." if isinstance(step, Copy) else f"{step};" for step in script)
