from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0007_presence"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="line",
            name="line_lane_has_parent",
        ),
        migrations.AlterField(
            model_name="line",
            name="kind",
            field=models.CharField(
                choices=[
                    ("clinic", "Online OPD"),
                    ("hub", "Hub speciality"),
                    ("follow_up", "Follow-ups of one doctor"),
                    ("written", "Written requests to a hub speciality"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="line",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "written")),
                fields=("state_id", "parent_id"),
                name="line_written_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="line",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind", "follow_up"),
                        ("parent_id__isnull", False),
                        ("practitioner_id__isnull", False),
                    ),
                    models.Q(
                        ("kind", "written"),
                        ("parent_id__isnull", False),
                        ("practitioner_id__isnull", True),
                    ),
                    models.Q(
                        models.Q(("kind__in", ["follow_up", "written"]), _negated=True),
                        ("parent_id__isnull", True),
                        ("practitioner_id__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="line_lane_has_parent",
            ),
        ),
    ]
