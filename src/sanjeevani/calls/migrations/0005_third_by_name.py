from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0004_foreign_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="account_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="name",
            field=models.CharField(blank=True, max_length=100),
        ),
    ]
