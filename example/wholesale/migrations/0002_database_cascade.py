from django.db import migrations

# The constraint of 0001, by the name Django gave it.
REPLACE = """
ALTER TABLE wholesale_lineitem
    DROP CONSTRAINT wholesale_lineitem_order_id_1d300bfe_fk_wholesale_order_id,
    ADD CONSTRAINT wholesale_lineitem_order_id_1d300bfe_fk_wholesale_order_id
        FOREIGN KEY (order_id) REFERENCES wholesale_order (id) {action} DEFERRABLE INITIALLY DEFERRED
"""


class Migration(migrations.Migration):
    dependencies = [("wholesale", "0001_initial")]

    operations = [migrations.RunSQL(REPLACE.format(action="ON DELETE CASCADE"), REPLACE.format(action=""))]
