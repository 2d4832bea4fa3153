import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="RefreshLog",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("view_name", models.CharField(max_length=255)),
                ("database", models.CharField(help_text="Alias of the database.", max_length=255)),
                ("strategy", models.CharField(blank=True, help_text="incremental or full.", max_length=16)),
                (
                    "mode",
                    models.CharField(blank=True, help_text="immediate, commit, deferred or manual.", max_length=16),
                ),
                ("reason", models.TextField(blank=True, help_text="Why the view was recomputed in full.")),
                (
                    "trigger",
                    models.CharField(
                        blank=True, help_text="Who asked: api, command, migrate, fallback.", max_length=32
                    ),
                ),
                ("started_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                (
                    "updated_at",
                    models.DateTimeField(default=django.utils.timezone.now, help_text="When it finished."),
                ),
                ("duration", models.DurationField(blank=True, null=True)),
                ("deltas", models.BigIntegerField(default=0, help_text="Pending changes that were applied.")),
                ("rows_inserted", models.BigIntegerField(default=0)),
                ("rows_updated", models.BigIntegerField(default=0)),
                ("rows_deleted", models.BigIntegerField(default=0)),
                ("failed", models.BooleanField(default=False)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "refresh log entry",
                "verbose_name_plural": "refresh log",
                "ordering": ["-started_at", "-id"],
                "indexes": [
                    models.Index(fields=["view_name", "-started_at"], name="django_ivm_log_view"),
                    models.Index(fields=["updated_at"], name="django_ivm_log_updated"),
                ],
            },
        ),
    ]
