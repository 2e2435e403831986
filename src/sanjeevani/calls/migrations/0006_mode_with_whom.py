from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0005_third_by_name"),
    ]

    operations = [
        migrations.AddField(
            model_name="modechange",
            name="host_account_id",
            field=models.UUIDField(null=True),
        ),
    ]
