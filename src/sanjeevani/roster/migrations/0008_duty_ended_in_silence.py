from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("roster", "0007_shifts_given_up"),
    ]

    operations = [
        migrations.AddField(
            model_name="duty",
            name="ended_in_silence",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
