"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [
        ("grievance", "0001_initial"),
        ("consultation", "0002_foreign_keys"),
        ("directory", "0002_foreign_keys"),
    ]

    operations = [
        AddCompositeForeignKeys("Grievance"),
        AddCompositeForeignKeys("GrievanceStep"),
    ]
