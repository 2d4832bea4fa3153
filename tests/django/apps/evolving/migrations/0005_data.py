from django.db import migrations


def double(apps, schema_editor):
    """Every price twice as high."""
    sales = apps.get_model("evolving", "Sale")
    for sale in sales.objects.all():
        sale.price *= 2
        sale.save()


class Migration(migrations.Migration):
    dependencies = [("evolving", "0004_remove")]
    operations = [migrations.RunPython(double, migrations.RunPython.noop)]
