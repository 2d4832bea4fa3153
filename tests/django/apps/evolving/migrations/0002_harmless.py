from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evolving", "0001_initial")]
    operations = [
        migrations.AddField("Sale", "extra", models.IntegerField(default=7)),
        migrations.AddIndex("Sale", models.Index(fields=["color"], name="evolving_sale_color")),
        migrations.AlterField("Sale", "color", models.TextField(help_text="Of the thing.")),
    ]
