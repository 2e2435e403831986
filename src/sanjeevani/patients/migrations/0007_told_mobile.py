from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("patients", "0006_spoke_foreign_keys")]

    operations = [
        migrations.AddField(
            model_name="spokepatient",
            name="told_mobile",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
    ]
