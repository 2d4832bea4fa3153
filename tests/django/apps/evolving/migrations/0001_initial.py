from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Sale",
            [
                ("id", models.BigAutoField(primary_key=True, auto_created=True)),
                ("color", models.TextField()),
                ("amount", models.IntegerField()),
                ("note", models.TextField(default="")),
            ],
        ),
    ]
