"""The SQL texts that the package ships: ``sql/`` of the wheel, or of the checkout it runs from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

# In a checkout sql/ is at the top, where people look for it; the build puts it into the package.
_CHECKOUT = Path(__file__).resolve().parent.parent / "sql"


def read(relative_path: str) -> str:
    """The text of ``sql/<relative_path>``, as in ``read("runtime/schema.sql")``.

    :raises FileNotFoundError: there is no such file.
    """
    shipped = files(__package__).joinpath("sql", *relative_path.split("/"))
    if shipped.is_file():
        return shipped.read_text(encoding="utf-8")
    return (_CHECKOUT / relative_path).read_text(encoding="utf-8")


def runtime() -> str:
    """What every installation needs, as one script; run again, it changes nothing."""
    return "\n".join(read(f"runtime/{name}.sql") for name in ("schema", "modes", "online", "unseen"))
