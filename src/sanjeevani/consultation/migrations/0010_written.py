from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0009_presence_foreign_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="consultation",
            name="due_at",
            field=models.DateTimeField(null=True),
        ),
    ]
