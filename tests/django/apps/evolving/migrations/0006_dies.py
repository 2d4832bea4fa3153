from django.db import migrations


class Migration(migrations.Migration):
    """Fails at its second statement."""

    dependencies = [("evolving", "0005_data")]
    operations = [migrations.RunSQL("UPDATE evolving_sale SET price = 1; SELECT 1 / 0", migrations.RunSQL.noop)]
