import django.contrib.postgres.fields
from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("prescription", "0005_dispensing_foreign_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpokePrescription",
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
                ("prescription_state_id", models.SmallIntegerField()),
                ("prescription_id", models.UUIDField()),
                ("consultation_id", models.UUIDField()),
                ("shown_to_post_id", models.UUIDField(null=True)),
                ("since", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "missing",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), size=None
                    ),
                ),
                ("handed_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="dispensing",
            name="given",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="outofstock",
            name="back_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="outofstock",
            name="by_post_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddConstraint(
            model_name="dispensing",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("given__isnull", True),
                    models.Q(("given__gt", 0), ("handing", "part")),
                    _connector="OR",
                ),
                name="dispensing_given",
            ),
        ),
        migrations.AddIndex(
            model_name="spokeprescription",
            index=models.Index(
                condition=models.Q(("handed_at__isnull", True), ("settled_at__isnull", True)),
                fields=["state_id", "facility_id", "-since"],
                name="spoke_prescription_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="spokeprescription",
            index=models.Index(
                condition=models.Q(("handed_at__isnull", False), ("settled_at__isnull", True)),
                fields=["state_id", "facility_id", "-since"],
                name="spoke_prescription_missing",
            ),
        ),
        migrations.AddConstraint(
            model_name="spokeprescription",
            constraint=models.UniqueConstraint(
                fields=("state_id", "facility_id", "prescription_id"),
                name="spoke_prescription_once",
            ),
        ),
    ]
