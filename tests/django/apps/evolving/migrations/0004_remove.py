from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evolving", "0003_rename")]
    operations = [
        migrations.RemoveField("Sale", "note"),
        migrations.RemoveField("Sale", "extra"),
        migrations.CreateModel(
            "Remark",
            [
                ("id", models.BigAutoField(primary_key=True, auto_created=True)),
                ("revenue_id", models.BigIntegerField()),
                ("text", models.TextField()),
            ],
        ),
    ]
