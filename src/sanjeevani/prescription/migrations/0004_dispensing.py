import django.db.models.deletion
from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("prescription", "0003_reason_may_be_empty"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutOfStock",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "state_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("state_id", models.SmallIntegerField()),
                ("id", models.UUIDField(default=sanjeevani.foundation.ids.uuid7)),
                ("facility_id", models.UUIDField()),
                ("medicine_code", models.CharField(max_length=120)),
                ("since", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("state_id", "facility_id", "medicine_code"),
                        name="out_of_stock_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispensing",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "state_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("state_id", models.SmallIntegerField()),
                ("id", models.UUIDField(default=sanjeevani.foundation.ids.uuid7)),
                ("prescription_id", models.UUIDField()),
                ("medicine_code", models.CharField(max_length=120)),
                (
                    "handing",
                    models.CharField(
                        choices=[
                            ("full", "In full"),
                            ("part", "In part"),
                            ("none", "Not in stock"),
                        ],
                        max_length=4,
                    ),
                ),
                ("facility_state_id", models.SmallIntegerField()),
                ("facility_id", models.UUIDField()),
                ("by_post_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                (
                    "prescription",
                    models.ForeignObject(
                        from_fields=["state_id", "prescription_id"],
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="prescription.prescription",
                        to_fields=["state_id", "id"],
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["state_id", "prescription_id", "id"], name="dispensing_of")
                ],
            },
        ),
    ]
