"""Run a server in the foreground and print its URL, until a signal ends it."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from . import EmbeddedError, start


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m django_ivm.embedded", description=__doc__)
    parser.add_argument("--major", type=int, help="PostgreSQL major version (DJANGO_IVM_PG_MAJOR)")
    parser.add_argument("--binaries", type=Path, help="directory of postgres and initdb")
    parser.add_argument(
        "-c", dest="settings", action="append", default=[], metavar="NAME=VALUE", help="a server setting"
    )
    options = parser.parse_args(arguments)
    settings = {}
    for setting in options.settings:
        name, equals, value = setting.partition("=")
        if not equals:
            parser.error(f"-c {setting}: write NAME=VALUE")
        settings[name] = value
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    # Before the server's thread starts, which inherits the mask: sigwait is then the only one to see them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        with start(settings, options.binaries, major=options.major) as server:
            print(server.url, flush=True)
            print(f"PostgreSQL {server.version}. Stop with Ctrl-C.", file=sys.stderr, flush=True)
            signal.sigwait(signals)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
