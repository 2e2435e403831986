import django.db.models.deletion
from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("patients", "0004_family_foreign_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="SpokePatient",
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
                ("patient_id", models.UUIDField()),
                ("by_post_id", models.UUIDField()),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="patient",
            name="abha_number",
            field=models.CharField(blank=True, default="", max_length=14),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(
                condition=models.Q(("abha_number", ""), _negated=True),
                fields=("state_id", "abha_number"),
                name="patient_abha_number",
            ),
        ),
        migrations.AddField(
            model_name="spokepatient",
            name="patient",
            field=models.ForeignObject(
                from_fields=["state_id", "patient_id"],
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="patients.patient",
                to_fields=["state_id", "id"],
            ),
        ),
        migrations.AddIndex(
            model_name="spokepatient",
            index=models.Index(
                fields=["state_id", "facility_id", "-since"], name="spoke_patients_newest"
            ),
        ),
        migrations.AddConstraint(
            model_name="spokepatient",
            constraint=models.UniqueConstraint(
                fields=("state_id", "facility_id", "patient_id"), name="spoke_patient_once"
            ),
        ),
    ]
