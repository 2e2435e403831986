from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0006_conduct_foreign_keys"),
        ("patients", "0006_spoke_foreign_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="consultation",
            name="asked_by_post_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="consultation",
            name="spoke_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="consultationreference",
            name="spoke_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="consultationreference",
            index=models.Index(
                condition=models.Q(("spoke_id__isnull", False)),
                fields=["state_id", "spoke_id", "id"],
                name="consultation_of_spoke",
            ),
        ),
    ]
