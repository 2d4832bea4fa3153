import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wholesale", "0002_database_cascade"),
    ]

    operations = [
        migrations.CreateModel(
            name="CustomerRevenue",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="wholesale.customer",
                    ),
                ),
                ("lines", models.BigIntegerField()),
                ("revenue", models.DecimalField(decimal_places=4, max_digits=30)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="LargeOrders",
            fields=[
                (
                    "order",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="wholesale.order",
                    ),
                ),
                ("pieces", models.DecimalField(decimal_places=2, max_digits=30)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="MedianPrices",
            fields=[
                (
                    "nation",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="wholesale.nation",
                    ),
                ),
                ("lines", models.BigIntegerField()),
                ("median_price", models.FloatField()),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="NationRevenue",
            fields=[
                (
                    "nation",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="wholesale.nation",
                    ),
                ),
                ("name", models.CharField(max_length=25)),
                ("region", models.CharField(max_length=25)),
                ("customers", models.BigIntegerField()),
                ("revenue", models.DecimalField(decimal_places=4, max_digits=30)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="NationYear",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "nation_id", "year", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("year", models.IntegerField()),
                ("lines", models.BigIntegerField()),
                ("revenue", models.DecimalField(decimal_places=4, max_digits=30)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="OrderPriorities",
            fields=[
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
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("orders", models.BigIntegerField()),
                ("open_orders", models.BigIntegerField()),
                ("average_price", models.DecimalField(decimal_places=16, max_digits=30)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="OrdersPerCustomer",
            fields=[
                ("orders", models.BigIntegerField(primary_key=True, serialize=False)),
                ("customers", models.BigIntegerField()),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PartPrices",
            fields=[
                (
                    "part",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="wholesale.part",
                    ),
                ),
                ("brand", models.CharField(max_length=10)),
                ("lines", models.BigIntegerField()),
                ("lowest", models.DecimalField(decimal_places=4, max_digits=30)),
                ("highest", models.DecimalField(decimal_places=4, max_digits=30)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="PricingSummary",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "return_flag",
                        "line_status",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("return_flag", models.CharField(max_length=1)),
                ("line_status", models.CharField(max_length=1)),
                ("quantity", models.DecimalField(decimal_places=4, max_digits=30)),
                ("base_price", models.DecimalField(decimal_places=4, max_digits=30)),
                ("discounted_price", models.DecimalField(decimal_places=4, max_digits=30)),
                ("charge", models.DecimalField(decimal_places=6, max_digits=30)),
                ("average_quantity", models.DecimalField(decimal_places=16, max_digits=30)),
                ("average_price", models.DecimalField(decimal_places=16, max_digits=30)),
                ("average_discount", models.DecimalField(decimal_places=16, max_digits=30)),
                ("lines", models.BigIntegerField()),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="TopCustomers",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="wholesale.customer",
                    ),
                ),
                ("revenue", models.DecimalField(decimal_places=4, max_digits=30)),
            ],
            options={
                "ordering": ["-revenue", "customer_id"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="UrgentLines",
            fields=[
                ("customer", models.CharField(max_length=25)),
                ("order_date", models.DateField()),
                ("quantity", models.DecimalField(decimal_places=2, max_digits=15)),
                (
                    "id",
                    models.BigAutoField(editable=False, primary_key=True, serialize=False, verbose_name="ID"),
                ),
            ],
            options={
                "managed": False,
            },
        ),
    ]
