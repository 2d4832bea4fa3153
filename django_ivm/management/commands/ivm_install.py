"""`ivm_install`: make the database hold the declared views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connections
from psycopg.sql import SQL, Identifier

from ...errors import IVMError
from ..selection import Target, ViewCommand, progress

if TYPE_CHECKING:
    from ...engine.spec import ViewSpec


class Command(ViewCommand):
    help = "Install the views that are missing or outdated, and fill them. Installing twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--check", action="store_true", help="Change nothing; exit 1 when a view is missing or outdated."
        )
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, change nothing.")
        parser.add_argument("--sql", action="store_true", help="Print the script, run nothing.")
        parser.add_argument(
            "--prune",
            action="store_true",
            help="Also remove views whose models are no longer in the code, and what a killed --online left.",
        )
        parser.add_argument(
            "--online",
            action="store_true",
            help="Fill without keeping writers out, beside the view that is there. What was killed is taken up again.",
        )
        parser.add_argument(
            "--patience",
            type=float,
            default=600.0,
            metavar="SECONDS",
            help="With --online: how long to try for a lock before giving up. Default: 600.",
        )
        parser.add_argument(
            "--grant", action="append", default=[], metavar="ROLE", help="Give a role SELECT. Repeatable."
        )
        parser.add_argument("--no-progress", action="store_true", help="No progress bar.")

    def handle(self, *args: Any, **options: Any) -> None:
        from ...engine import install

        self.connection = connections[options["database"]]
        targets = self.targets(options)
        orphans = [target for target in targets if target.orphan]
        wanted = [target for target in targets if not target.orphan]
        if options["sql"]:
            self._print_script(wanted)
        elif options["check"] or options["dry_run"]:
            self._compare(wanted, orphans, options)
        else:
            self._install(wanted, options)
            if options["prune"]:
                for target in reversed(orphans):
                    install.uninstall(target.name, self.connection, schema=target.schema, cascade=True)
                    self.note(options, f"{target.installed.label} ({target.name}): removed")
                self._prune_builds(options)

    def _print_script(self, targets: list[Target]) -> None:
        from ...engine import install

        for target in targets:
            try:
                compiled = install.plan(target.spec(), self.connection)
            except (IVMError, DatabaseError) as error:
                raise CommandError(f"{target.label}: {error}") from error
            self.stdout.write(f"-- {target.label}")
            for statement in compiled.statements():
                self.stdout.write(f"{statement.rstrip().rstrip(';')};\n")

    def _compare(self, targets: list[Target], orphans: list[Target], options: dict[str, Any]) -> None:
        from ...engine import install

        rows, failed = [], False
        for target in targets:
            try:
                state = install.state(target.spec(), self.connection).value
            except (IVMError, DatabaseError) as error:
                state, failed = "error", True
                self.fail(target, error)
            rows.append((target.label, target.name, state))
        rows += [(target.installed.label, target.name, "orphan") for target in orphans]
        if options["verbosity"] >= 1:
            self.table(("view", "table", "state"), rows)
        todo = [state for _, _, state in rows if state not in (install.InstallState.INSTALLED.value, "orphan")]
        if options["prune"]:
            todo += ["orphan"] * len(orphans)
        if failed or (options["check"] and todo):
            raise CommandError(f"{len(todo)} of {len(rows)} views need ivm_install.")

    def _install(self, targets: list[Target], options: dict[str, Any]) -> None:
        from ...engine import install

        changed, failures = 0, set()
        with progress(targets, options) as (walk, show):
            for target in walk:
                try:
                    spec = target.spec()
                    before = install.state(spec, self.connection)
                    if before != install.InstallState.INSTALLED:
                        target.require_match()
                        self._install_one(spec, options, show)
                        changed += 1
                except (IVMError, DatabaseError) as error:
                    failures.add(target.label)
                    self.fail(target, error)
                    continue
                if before == install.InstallState.INSTALLED:
                    self.note(options, f"{target.label}: up to date", 2)
                else:
                    self.note(options, f"{target.label}: installed (was {before.value})")
        for role in options["grant"]:
            self._grant(role, [target for target in targets if target.label not in failures])
        if failures:
            raise CommandError(f"{len(failures)} of {len(targets)} views could not be installed.")
        self.note(options, f"{changed} installed, {len(targets) - changed} up to date.")

    def _install_one(self, spec: ViewSpec, options: dict[str, Any], show: Any) -> None:
        from ...engine import install

        if not options["online"]:
            install.install(spec, self.connection, progress=show, trigger="command")
            return
        from ...engine.attempts import Patience
        from ...engine.online import install_online

        patience = Patience(limit=options["patience"])
        install_online(spec, self.connection, progress=show, trigger="command", patience=patience)

    def _prune_builds(self, options: dict[str, Any]) -> None:
        """Unfinished online installations that nobody is at."""
        from ...engine import builds
        from ...engine.attempts import Patience
        from ...engine.online import prune

        def show(text: str) -> None:
            self.note(options, text, 2)

        try:
            for build in prune(self.connection, Patience(limit=options["patience"]), show):
                self.note(options, f"{build.label or build.name}: removed an online installation that ended "
                                   f"{builds.WORDS[build.phase]}")  # fmt: skip
        except (IVMError, DatabaseError) as error:
            raise CommandError(str(error)) from error

    def _grant(self, role: str, targets: list[Target]) -> None:
        from ...engine import register, residual

        # Not a part of what is installed: the next ivm_install without --grant must find nothing to do.
        with self.connection.cursor() as cursor:
            for target in targets:
                table = Identifier(target.schema, target.name) if target.schema else Identifier(target.name)
                try:
                    cursor.execute(SQL("GRANT SELECT ON {} TO {}").format(table, Identifier(role)))
                    if (view := register.find(cursor, target.name, target.schema)) is not None:
                        residual.grant(cursor, view, role)
                except DatabaseError as error:
                    raise CommandError(f"{target}: {error}") from error
