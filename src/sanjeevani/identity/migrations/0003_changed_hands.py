from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0002_invitations"),
    ]

    operations = [
        migrations.AddField(
            model_name="onetimecode",
            name="proof_until",
            field=models.DateTimeField(null=True),
        ),
        # Of accounts that there are already nobody knows when they were last used: as if today.
        # A constant default of a new column writes no row, however many accounts there are.
        migrations.AddField(
            model_name="account",
            name="last_entered_at",
            field=models.DateTimeField(null=True, default=timezone.now),
        ),
        migrations.AlterField(
            model_name="account",
            name="last_entered_at",
            field=models.DateTimeField(null=True),
        ),
    ]
