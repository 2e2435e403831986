"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]

    operations = [
        AddCompositeForeignKeys("Post"),
        AddCompositeForeignKeys("Line"),
        AddCompositeForeignKeys("Clinic"),
        AddCompositeForeignKeys("ClinicHours"),
    ]
