from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0006_hub_foreign_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="state",
            name="presence_proof",
            field=models.CharField(
                choices=[
                    ("any", "A photo, or a code to the patient’s mobile"),
                    ("photo", "A photo"),
                    ("code", "A code to the patient’s mobile; a photo where there is none"),
                    ("none", "Nothing is asked"),
                ],
                default="any",
                max_length=5,
            ),
        ),
    ]
