from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0015_to_do_changed"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="consultation",
            index=models.Index(
                condition=models.Q(
                    ("spoke_id__isnull", False),
                    ("status__in", ("requested", "in_progress", "interrupted", "returned")),
                ),
                fields=["state_id", "spoke_id"],
                name="consultation_live_at_spoke",
            ),
        ),
    ]
