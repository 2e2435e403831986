from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("grievance", "0003_about"),
    ]

    operations = [
        migrations.CreateModel(
            name="HandlerTold",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("told_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
    ]
