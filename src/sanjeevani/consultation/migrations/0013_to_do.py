from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0012_asks_foreign_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="consultation",
            name="follow_up_on",
            field=models.DateField(null=True),
        ),
        migrations.CreateModel(
            name="SpokeToDo",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("call_back", "Not held: ring the patient and ask again"),
                            ("answer", "The answer has come: tell the patient"),
                            ("follow_up", "The doctor wants to see the patient again"),
                            ("medicine", "A medicine is in stock again: tell the patient"),
                        ],
                        max_length=9,
                    ),
                ),
                ("consultation_state_id", models.SmallIntegerField()),
                ("consultation_id", models.UUIDField()),
                ("patient_id", models.UUIDField()),
                ("due_on", models.DateField()),
                ("done_at", models.DateTimeField(null=True)),
                ("done_by_post_id", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=["state_id", "facility_id", "due_on"],
                        name="spoke_to_do_open",
                    ),
                    models.Index(
                        condition=models.Q(("done_at__isnull", False)),
                        fields=["state_id", "facility_id", "-done_at"],
                        name="spoke_to_do_done",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("state_id", "facility_id", "consultation_id", "kind"),
                        name="spoke_to_do_once",
                    )
                ],
            },
        ),
    ]
