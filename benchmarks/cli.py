"""``python -m benchmarks``: arguments, exit codes.

Exit codes: 0 done (and, with --check, every goal reached), 1 a goal missed or a view wrong, 2 could not run.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg

from django_ivm.errors import IVMError

from . import goals, online, report, run, server, tpch, tpch_data
from .arms import ARMS
from .core import BenchError
from .data import WrongView
from .scenarios import SCENARIOS

HERE = Path(__file__).parent
SMALLEST = 5000


def _keys(known: dict[str, object]) -> object:
    def parse(text: str) -> tuple[str, ...]:
        keys = tuple(dict.fromkeys(k.strip() for k in text.split(",") if k.strip()))
        unknown = [k for k in keys if k not in known]
        if unknown or not keys:
            raise argparse.ArgumentTypeError(
                f"unknown: {', '.join(unknown) or 'nothing'}; choose from {','.join(known)}"
            )
        return keys

    return parse


def _number(text: str) -> float:
    try:
        return float(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare the ways to keep a query's result fresh."
    )
    p.add_argument(
        "--quick", action="store_true", help="100,000 rows and few rounds: under two minutes, rougher figures"
    )
    p.add_argument("--scale", type=_number, metavar="N",
                   help="rows of the big table (default 1,000,000); TPC-H's scale factor (default 0.1)")  # fmt: skip
    titles = {s.key: s.title for s in SCENARIOS.values()}
    titles |= {module.KEY: f"{module.TITLE}; runs alone" for module in (tpch, online)}
    p.add_argument("--scenario", type=_keys(titles), metavar="a,b", default=tuple(SCENARIOS),  # type: ignore[arg-type]
                   help="; ".join(f"{key}: {title}" for key, title in titles.items()))  # fmt: skip
    p.add_argument("--queries", type=_keys(dict.fromkeys(tpch_data.QUERIES)), metavar="q01,q05",  # type: ignore[arg-type]
                   default=tpch_data.QUERIES, help="queries of the scenario tpch (default all)")  # fmt: skip
    p.add_argument("--arms", type=_keys(ARMS), metavar="bare,hand", default=tuple(ARMS),  # type: ignore[arg-type]
                   help=f"strategies to compare (default all): {','.join(ARMS)}")  # fmt: skip
    p.add_argument("--rounds", type=_count, metavar="N", help="rounds of each order of statements")
    p.add_argument("--raw", action="store_true",
                   help="time libpq alone, without psycopg's own work")  # fmt: skip
    p.add_argument("--no-pin", action="store_true",
                   help="don't keep client and server on one CPU while writing")  # fmt: skip
    p.add_argument("--seed", type=_count, metavar="N", help="seed of the data written (default: drawn and printed)")
    p.add_argument(
        "--out", type=Path, default=HERE / "results", metavar="DIR", help="where JSON, Markdown and plots go"
    )
    p.add_argument("--check", action="store_true", help="exit 1, naming them, when goals are missed")
    p.add_argument("--self-check", action="store_true", help="no figures: random tests of the views' correctness")
    p.add_argument("--no-concurrency", action="store_true", help="leave out the concurrent inserts")
    p.add_argument("--no-plot", action="store_true", help="no PNG")
    p.add_argument("--no-progress", action="store_true", help="no progress bar")
    return p


def options(args: argparse.Namespace) -> run.Options:
    """What the arguments come to."""
    quick = args.quick
    arms = args.arms
    if "bare" in arms and "again" not in arms:
        # The same arm twice is the noise that every ratio is read against.
        arms = ("bare", "again", *(a for a in arms if a != "bare"))
    return run.Options(
        rows=int(args.scale or (100_000 if quick else 1_000_000)),
        scenarios=tuple(SCENARIOS[k] for k in args.scenario),
        arms=arms,
        rounds=args.rounds or (3 if quick else 6),
        repeat=40 if quick else 100,
        fill_rounds=3 if quick else 5,
        refresh_rounds=2 if quick else 3,
        concurrency_rounds=1 if quick else 2,
        seconds=1 if quick else 2,
        concurrent="" if args.no_concurrency else _concurrent(args.scenario, quick=quick),
        held=not quick,
        memory=True,
        raw=args.raw,
        pin=not args.no_pin,
        seed=args.seed or run.random_seed(),
        progress=not args.no_progress and sys.stderr.isatty(),
    )


def tpch_options(args: argparse.Namespace) -> tpch.Options:
    """What the arguments come to for the scenario tpch."""
    quick = args.quick
    return tpch.Options(
        scale=args.scale or (0.01 if quick else 0.1),
        queries=args.queries,
        pairs=args.rounds or (3 if quick else 5),
        orders=20 if quick else 50,
        refreshes=2 if quick else 3,
        pin=not args.no_pin,
        seed=args.seed or run.random_seed(),
        progress=not args.no_progress and sys.stderr.isatty(),
    )


def _concurrent(keys: tuple[str, ...], *, quick: bool) -> str:
    """The scenarios written concurrently: one over a table, one with join locks; others only if alone."""
    few = "b" if quick else "ab"
    return "".join(k for k in keys if k in few) or "".join(keys)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = parser()
    args = arguments.parse_args(argv)
    alone = {tpch.KEY: _tpch, online.KEY: _online}
    if chosen := [key for key in args.scenario if key in alone]:
        if len(args.scenario) > 1 or args.check or args.self_check:
            arguments.error(f"the scenario {chosen[0]} runs alone, without --check and --self-check")
        return _guarded(args, alone[chosen[0]])
    if args.scale is not None and args.scale < SMALLEST:
        arguments.error(f"--scale: at least {SMALLEST} rows, below that only fixed costs are measured")
    if args.check:
        lacking = [arm for arm in goals.NEEDED if arm not in options(args).arms]
        if lacking:
            print(f"--check compares with {', '.join(lacking)}: add it to --arms", file=sys.stderr)
            return 2
    return _guarded(args, _compare)


def _guarded(args: argparse.Namespace, work: Callable[[argparse.Namespace], int]) -> int:
    """The work's exit code, or what its failure comes to."""
    # As Ctrl-C: the private server stops, a database made on another one is dropped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        return work(args)
    except WrongView as e:
        print(f"error: {e}", file=sys.stderr)
        return 1
    except (BenchError, IVMError, psycopg.Error, OSError) as e:
        print(f"error: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130


def _compare(args: argparse.Namespace) -> int:
    """The strategies side by side."""
    chosen = options(args)
    with server.place() as place:
        if args.self_check:
            for line in run.self_check(place, chosen, steps=150, seconds=1.0):
                print(line)
            print(f"ok, seed {chosen.seed}")
            return 0
        result = run.run(place, chosen)
    misses = goals.misses(result) if args.check else None
    if misses is not None:
        result["misses"] = misses
    report.show(result)
    paths = report.write(result, args.out, misses)
    if not args.no_plot:
        paths += _plots(result, args.out)
    print("\nwrote " + ", ".join(str(p) for p in paths))
    for miss in misses or ():
        print(f"missed: {miss}", file=sys.stderr)
    if misses == []:
        print("every goal reached")
    return 1 if misses else 0


def _tpch(args: argparse.Namespace) -> int:
    with server.place() as place:
        result = tpch.run(place, tpch_options(args))
    head, grids = tpch.headline(result), tpch.grids(result)
    report.show_grids(head, grids)
    text = "\n\n".join(["# Benchmark: TPC-H", f"{head}.", *map(report.markdown_of, grids)]) + "\n"
    print("\nwrote " + ", ".join(str(p) for p in report.write_texts(result, text, args.out, "tpch")))
    return 0


def _online(args: argparse.Namespace) -> int:
    shown = not args.no_progress and sys.stderr.isatty()
    scale = args.scale or (0.05 if args.quick else 1.0)
    wanted = online.Options(scale, writers=4, rounds=args.rounds or (1 if args.quick else 2), progress=shown)
    with server.place() as place:
        result = online.run(place, wanted)
    head, grids = online.headline(result), online.grids(result)
    report.show_grids(head, grids)
    text = "\n\n".join(["# Benchmark: installing online", f"{head}.", *map(report.markdown_of, grids)]) + "\n"
    paths = report.write_texts(result, text, args.out, "online")
    if not args.no_plot and (picture := online.plot(result, args.out)):
        paths.append(picture)
    print("\nwrote " + ", ".join(str(p) for p in paths))
    return 0


def _plots(result: dict[str, object], out: Path) -> list[Path]:
    try:
        from . import plot
    except ImportError as e:
        print(f"no plot: {e}; install the package's extra `bench`", file=sys.stderr)
        return []
    return plot.draw(result, out)
