from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0002_links_listed"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="uploadedfile",
            index=models.Index(fields=["storage_key"], name="upload_by_storage_key"),
        ),
    ]
