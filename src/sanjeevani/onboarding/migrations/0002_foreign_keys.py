"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("onboarding", "0001_initial")]

    operations = [
        AddCompositeForeignKeys("ImportedRecord"),
        AddCompositeForeignKeys("ImportFinding"),
    ]
