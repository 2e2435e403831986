from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0013_to_do"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="conductreport",
            name="conduct_report_once",
        ),
        migrations.AddConstraint(
            model_name="conductreport",
            constraint=models.UniqueConstraint(
                fields=("state_id", "consultation_id", "by", "practitioner_id"),
                name="conduct_report_once",
            ),
        ),
    ]
