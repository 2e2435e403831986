import django.db.models.deletion
from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0007_spokes"),
    ]

    operations = [
        migrations.CreateModel(
            name="PatientPresence",
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
                ("consultation_id", models.UUIDField()),
                (
                    "shown_by",
                    models.CharField(
                        choices=[("photo", "Photo"), ("code", "Code to the mobile")], max_length=5
                    ),
                ),
                ("upload_id", models.UUIDField(null=True)),
                ("by_post_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                (
                    "consultation",
                    models.ForeignObject(
                        from_fields=["state_id", "consultation_id"],
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consultation.consultation",
                        to_fields=["state_id", "id"],
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("state_id", "consultation_id"), name="patient_presence_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("shown_by", "photo"), ("upload_id__isnull", False)),
                            models.Q(("shown_by", "code"), ("upload_id__isnull", True)),
                            _connector="OR",
                        ),
                        name="patient_presence_photo",
                    ),
                ],
            },
        ),
    ]
