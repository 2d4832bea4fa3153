"""`ivm_uninstall`: take views out of the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connections

from ...errors import IVMError
from ..selection import ViewCommand, with_dependents


class Command(ViewCommand):
    help = "Remove views and everything that keeps them up to date."
    labels_help = "app, app.View or a view's name. Without one, all views are removed."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--keep-data", action="store_true", help="Leave the table with its rows, as an ordinary table."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from ...engine import install

        connection = connections[options["database"]]
        targets = [target for target in self.targets(options) if target.installed is not None]
        # What reads a removed view can't be kept up to date either: say so instead of taking it along.
        everything = self.targets({**options, "labels": []})
        left = [
            target.label
            for target in with_dependents(targets, everything)
            if target.name not in {chosen.name for chosen in targets}
        ]
        if left:
            raise CommandError(f"Other views read these: {', '.join(left)}. Name them too to remove them.")
        for target in reversed(targets):
            try:
                install.uninstall(
                    target.name, connection, schema=target.installed.schema, keep_data=options["keep_data"]
                )
            except (IVMError, DatabaseError) as error:
                raise CommandError(f"{target.label}: {error}") from error
            self.note(options, f"{target.label}: removed{', its data kept' if options['keep_data'] else ''}")
        install.remove_runtime(connection)  # with the last view goes our schema
        if not targets:
            self.note(options, "Nothing is installed.")
