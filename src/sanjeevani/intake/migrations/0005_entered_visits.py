import django.db.models.deletion
from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("intake", "0004_draft_ages"),
        ("patients", "0006_spoke_foreign_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="EnteredVisit",
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
                ("key", models.UUIDField()),
                ("patient_id", models.UUIDField()),
                ("draft_id", models.UUIDField()),
                ("by_post_id", models.UUIDField()),
                ("entered_at", models.DateTimeField()),
                (
                    "patient",
                    models.ForeignObject(
                        from_fields=["state_id", "patient_id"],
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="patients.patient",
                        to_fields=["state_id", "id"],
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["state_id", "facility_id", "-id"], name="entered_visits_newest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("state_id", "facility_id", "key"), name="entered_visit_once"
                    )
                ],
            },
        ),
    ]
