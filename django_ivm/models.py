"""The refresh log, the one table of this package that Django manages.

What is installed is told by plain tables of the engine's own schema instead: `flush` empties every managed
table.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class RefreshLog(models.Model):
    """One refresh of one view, also a failed one."""

    view_name = models.CharField(max_length=255)
    database = models.CharField(max_length=255, help_text="Alias of the database.")
    strategy = models.CharField(max_length=16, blank=True, help_text="incremental or full.")
    mode = models.CharField(max_length=16, blank=True, help_text="immediate, commit, deferred or manual.")
    reason = models.TextField(blank=True, help_text="Why the view was recomputed in full.")
    trigger = models.CharField(max_length=32, blank=True, help_text="Who asked: api, command, migrate, fallback.")
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    updated_at = models.DateTimeField(default=timezone.now, help_text="When it finished.")
    duration = models.DurationField(null=True, blank=True)
    deltas = models.BigIntegerField(default=0, help_text="Pending changes that were applied.")
    rows_inserted = models.BigIntegerField(default=0)
    rows_updated = models.BigIntegerField(default=0)
    rows_deleted = models.BigIntegerField(default=0)
    failed = models.BooleanField(default=False)
    error = models.TextField(blank=True)

    class Meta:
        verbose_name = "refresh log entry"
        verbose_name_plural = "refresh log"
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["view_name", "-started_at"], name="django_ivm_log_view"),
            models.Index(fields=["updated_at"], name="django_ivm_log_updated"),
        ]

    def __str__(self) -> str:
        outcome = "failed" if self.failed else (self.strategy or "done")
        return f"{self.view_name} on {self.database}: {outcome} at {self.started_at:%Y-%m-%d %H:%M:%S}"
