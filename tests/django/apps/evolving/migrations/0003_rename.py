from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evolving", "0002_harmless")]
    operations = [
        migrations.RenameField("Sale", "amount", "price"),
        migrations.AlterField("Sale", "price", models.DecimalField(max_digits=8, decimal_places=2)),
    ]
