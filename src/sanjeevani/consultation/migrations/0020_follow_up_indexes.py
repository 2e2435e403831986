from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0019_follow_up_recalled"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="consultationreference",
            index=models.Index(
                condition=models.Q(
                    ("follow_up_on__isnull", False),
                    ("put_away_at__isnull", True),
                    ("spoke_id__isnull", True),
                ),
                fields=["state_id", "account_id", "follow_up_on"],
                name="follow_up_of_account",
            ),
        ),
        migrations.AddIndex(
            model_name="consultationreference",
            index=models.Index(
                condition=models.Q(
                    ("follow_up_on__isnull", False),
                    ("recalled_at__isnull", True),
                    ("spoke_id__isnull", True),
                ),
                fields=["follow_up_on"],
                name="follow_up_to_recall",
            ),
        ),
    ]
