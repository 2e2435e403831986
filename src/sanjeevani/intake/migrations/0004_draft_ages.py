from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0002_links_listed"),
        ("intake", "0003_paper_foreign_keys"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="intakedraft",
            index=models.Index(fields=["updated_at"], name="intake_draft_age"),
        ),
        migrations.AddIndex(
            model_name="paper",
            index=models.Index(
                condition=models.Q(("consultation_id__isnull", True)),
                fields=["id"],
                name="paper_in_draft",
            ),
        ),
    ]
