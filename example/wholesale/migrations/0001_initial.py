import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Nation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=25)),
                ("comment", models.CharField(max_length=152)),
            ],
        ),
        migrations.CreateModel(
            name="Part",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=55)),
                ("manufacturer", models.CharField(max_length=25)),
                ("brand", models.CharField(max_length=10)),
                ("type", models.CharField(max_length=25)),
                ("size", models.IntegerField()),
                ("container", models.CharField(max_length=10)),
                ("retail_price", models.DecimalField(decimal_places=2, max_digits=15)),
                ("comment", models.CharField(max_length=23)),
            ],
        ),
        migrations.CreateModel(
            name="Region",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=25)),
                ("comment", models.CharField(max_length=152)),
            ],
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=25)),
                ("address", models.CharField(max_length=40)),
                ("phone", models.CharField(max_length=15)),
                ("balance", models.DecimalField(decimal_places=2, max_digits=15)),
                ("segment", models.CharField(max_length=10)),
                ("comment", models.CharField(max_length=117)),
                (
                    "nation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="wholesale.nation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("O", "Open"), ("F", "Filled"), ("P", "Partly")], default="O", max_length=1
                    ),
                ),
                ("total_price", models.DecimalField(decimal_places=2, max_digits=15)),
                ("order_date", models.DateField()),
                (
                    "priority",
                    models.CharField(
                        choices=[
                            ("1-URGENT", "Urgent"),
                            ("2-HIGH", "High"),
                            ("3-MEDIUM", "Medium"),
                            ("4-NOT SPECIFIED", "Unspecified"),
                            ("5-LOW", "Low"),
                        ],
                        max_length=15,
                    ),
                ),
                ("clerk", models.CharField(max_length=15)),
                ("ship_priority", models.IntegerField(default=0)),
                ("comment", models.CharField(blank=True, max_length=79)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="orders",
                        to="wholesale.customer",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="nation",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="nations", to="wholesale.region"
            ),
        ),
        migrations.CreateModel(
            name="Supplier",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=25)),
                ("address", models.CharField(max_length=40)),
                ("phone", models.CharField(max_length=15)),
                ("balance", models.DecimalField(decimal_places=2, max_digits=15)),
                ("comment", models.CharField(max_length=101)),
                (
                    "nation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="suppliers",
                        to="wholesale.nation",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PartSupp",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("available", models.IntegerField()),
                ("supply_cost", models.DecimalField(decimal_places=2, max_digits=15)),
                ("comment", models.CharField(max_length=199)),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offers",
                        to="wholesale.part",
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offers",
                        to="wholesale.supplier",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("part", "supplier"), name="wholesale_offer")],
            },
        ),
        migrations.CreateModel(
            name="LineItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("line_number", models.IntegerField()),
                ("quantity", models.DecimalField(decimal_places=2, max_digits=15)),
                ("extended_price", models.DecimalField(decimal_places=2, max_digits=15)),
                ("discount", models.DecimalField(decimal_places=2, max_digits=15)),
                ("tax", models.DecimalField(decimal_places=2, max_digits=15)),
                ("return_flag", models.CharField(default="N", max_length=1)),
                ("line_status", models.CharField(default="O", max_length=1)),
                ("ship_date", models.DateField()),
                ("commit_date", models.DateField()),
                ("receipt_date", models.DateField()),
                ("ship_instructions", models.CharField(max_length=25)),
                ("ship_mode", models.CharField(max_length=10)),
                ("comment", models.CharField(blank=True, max_length=44)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="wholesale.order",
                    ),
                ),
                (
                    "part",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="wholesale.part"
                    ),
                ),
                (
                    "supplier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="wholesale.supplier",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("order", "line_number"), name="wholesale_line")],
            },
        ),
    ]
