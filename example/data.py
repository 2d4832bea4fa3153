"""TPC-H data: made by tpchgen-cli, loaded by COPY."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from django.core.management.color import no_style
from django.db import connection, models, transaction
from psycopg import sql
from tqdm import tqdm

from example import DemoError
from example.wholesale.models import Customer, LineItem, Nation, Order, Part, PartSupp, Region, Supplier

# File name and model; every model declares its fields in the file's order.
FILES: dict[str, type[models.Model]] = {
    "region": Region,
    "nation": Nation,
    "supplier": Supplier,
    "customer": Customer,
    "part": Part,
    "partsupp": PartSupp,
    "orders": Order,
    "lineitem": LineItem,
}
CHUNK = 1 << 18  # bytes
PROGRAM = "tpchgen-cli"


def generate(directory: Path, scale: float) -> None:
    """Write TPC-H at `scale` (1 is 6 million order lines) as CSV files into `directory`.

    Raises `DemoError` when tpchgen-cli is missing or fails.
    """
    # Beside the running Python first: its environment need not be activated.
    beside = str(Path(sys.executable).parent)
    program = shutil.which(PROGRAM, path=beside) or shutil.which(PROGRAM)
    if program is None:
        raise DemoError(f"{PROGRAM} was not found. Run: pip install {PROGRAM}")
    command = [
        program,
        "csv",
        f"--scale-factor={scale}",
        f"--output-dir={directory}",
        "--no-progress",
        "--quiet",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise DemoError(f"{PROGRAM} failed ({done.returncode}): {done.stderr.strip()}")


def load(directory: Path, *, progress: bool) -> int:
    """Copy the files into the tables in one transaction; returns the number of rows."""
    paths = {name: directory / f"{name}.csv" for name in FILES}
    total = sum(path.stat().st_size for path in paths.values())
    rows = 0
    with (
        tqdm(total=total, unit="B", unit_scale=True, desc="load", leave=False, disable=not progress) as bar,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        for name, path in paths.items():
            bar.set_postfix_str(name)
            with path.open("rb") as file, cursor.copy(_copy(FILES[name], path)) as copy:
                while chunk := file.read(CHUNK):
                    copy.write(chunk)
                    bar.update(len(chunk))
            rows += cursor.rowcount
        bar.set_postfix_str("foreign keys")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # The files bring their own ids: the sequences must go on after them.
        for statement in connection.ops.sequence_reset_sql(no_style(), list(FILES.values())):
            cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rows


def _copy(model: type[models.Model], path: Path) -> sql.Composed:
    with path.open() as file:
        width = len(file.readline().split(","))
    # A file without an id of its own lacks the first field.
    columns = [field.column for field in model._meta.local_concrete_fields][-width:]
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, HEADER)").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
