from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0006_mode_with_whom"),
    ]

    operations = [
        migrations.AddField(
            model_name="phonecall",
            name="host_account_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="phonecall",
            name="taken_at",
            field=models.DateTimeField(null=True),
        ),
    ]
