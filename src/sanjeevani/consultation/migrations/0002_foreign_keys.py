"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0001_initial"),
        ("directory", "0002_foreign_keys"),
        ("queueing", "0002_foreign_keys"),
        ("calls", "0002_foreign_keys"),
        ("patients", "0002_foreign_keys"),
    ]

    operations = [
        AddCompositeForeignKeys("Consultation"),
        AddCompositeForeignKeys("ConsultationReference"),
        AddCompositeForeignKeys("Note"),
        AddCompositeForeignKeys("Diagnosis"),
        AddCompositeForeignKeys("Feedback"),
    ]
