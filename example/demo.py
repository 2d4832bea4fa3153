"""The whole way on one command: a server, data, views, a day of traffic, and a check of every view.

python -m example.demo [--scale 0.1] [--quick] [--keep] [--seed N]
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from statistics import median

import django
import psycopg
from django.core.management import CommandError
from django.db import DatabaseError
from psycopg import sql
from tqdm import tqdm

from django_ivm import IVMError, embedded
from example import DemoError


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; returns the exit code: 0 only when every view was right."""
    options = _options(arguments)
    started = time.perf_counter()
    try:
        with _server(keep=options.keep) as private:
            right = _demo(options)
            took = time.perf_counter() - started
            verdict = "Every view equals its query" if right else "A view is WRONG"
            print(f"\n{verdict} ({took:.0f} s).", flush=True)
            if options.keep:
                _farewell(wait=private)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    except (DemoError, IVMError, CommandError, psycopg.Error, DatabaseError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    return 0 if right else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m example.demo", description="A wholesale shop with live views.")
    parser.add_argument("--scale", type=float, help="TPC-H scale; 1 is 6 million order lines (default: 0.1)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, a fifth of the traffic")
    parser.add_argument("--keep", action="store_true", help="keep the shop at the end, to play with it")
    parser.add_argument("--seed", type=int, default=1, help="of the traffic (default: 1)")
    options = parser.parse_args(arguments)
    if options.scale is None:
        options.scale = 0.01 if options.quick else 0.1
    if options.scale < 0.01:
        # Below, the generator repeats keys.
        parser.error("--scale must be 0.01 or more")
    return options


@contextmanager
def _server(*, keep: bool) -> Iterator[bool]:
    """A database of the demo's own; gives whether its server is private too, not that of `DATABASE_URL`."""
    private = not os.environ.get("DATABASE_URL")
    server = embedded.database_url()
    name = f"django_ivm_demo_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        version = connection.info.server_version // 10000
    try:
        os.environ["DATABASE_URL"] = psycopg.conninfo.make_conninfo(server, dbname=name)
        os.environ["DJANGO_SETTINGS_MODULE"] = "example.settings"
        django.setup()
        origin = "started for this demo" if private else "from DATABASE_URL"
        print(f"PostgreSQL {version}, {origin}", flush=True)
        yield private
    finally:
        from django.db import connections

        connections.close_all()
        if not private and not keep:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _demo(options: argparse.Namespace) -> bool:
    # Models can be imported only now that Django is set up.
    from django.apps import apps
    from django.core.management import call_command

    from django_ivm import IncrementalView
    from example import data, report
    from example.traffic import Shop

    bars = sys.stderr.isatty()
    # That a view is refreshed in full is told below, with its reason.
    logging.getLogger("django_ivm").setLevel(logging.ERROR)
    models = apps.get_app_config("wholesale").get_models()
    views = [model for model in models if issubclass(model, IncrementalView)]

    with tempfile.TemporaryDirectory(prefix="django_ivm-tpch-") as directory:
        with _step(f"TPC-H data at scale {options.scale:g}"):
            data.generate(Path(directory), options.scale)
        with _step("migrate"):
            call_command("migrate", verbosity=0)
        with _step("load") as said:
            said.append(f"{data.load(Path(directory), progress=bars):,} rows")
    with _step("ivm_install") as said:
        call_command("ivm_install", no_progress=not bars, stdout=StringIO())
        said.append(f"{len(views)} views")

    share = 0.2 if options.quick else 1.0
    print(f"\nA day of orders (seed {options.seed})", flush=True)
    for scene in Shop(options.seed).day(share):
        times, rows = [], 0
        for _ in tqdm(range(scene.times), desc=scene.title, leave=False, disable=not bars):
            before = time.perf_counter()
            rows += scene.act()
            times.append((time.perf_counter() - before) * 1000)
        count = f"{scene.times} transaction{'s' if scene.times > 1 else ''}"
        print(f"  {scene.title:<40} {count:>16} {rows:>8,} rows {median(times):>9,.1f} ms each", flush=True)

    print(flush=True)
    for view in views:
        if not view.is_fresh():
            report.catch_up(view)

    print(f"\nHow {views[1].__name__} is kept:\n{views[1].explain()}", flush=True)

    rows = [report.examine(view) for view in tqdm(views, desc="measure", leave=False, disable=not bars)]
    print(f"\n{report.table(rows)}\n{report.LEGEND}", flush=True)
    return all(row.verified for row in rows)


@contextmanager
def _step(title: str) -> Iterator[list[str]]:
    """Print a step with its time; what the body appends to the list is printed with it."""
    said: list[str] = []
    before = time.perf_counter()
    yield said
    print(f"{title:<28} {time.perf_counter() - before:>6.1f} s   {', '.join(said)}".rstrip(), flush=True)


def _farewell(*, wait: bool) -> None:
    print(f"\nThe shop stays{' until Ctrl-C. In another terminal:' if wait else ':'}")
    print(f'  export DATABASE_URL="{os.environ["DATABASE_URL"]}"')
    print("  python example/manage.py ivm_status", flush=True)
    with suppress(KeyboardInterrupt):
        while wait:
            time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
