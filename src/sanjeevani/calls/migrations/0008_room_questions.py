from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0007_phone_call_taken"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="room",
            index=models.Index(
                condition=models.Q(("questions_until__isnull", False)),
                fields=["state_id", "host_account_id", "questions_until"],
                name="room_questions",
            ),
        ),
    ]
