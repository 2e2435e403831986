"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("roster", "0001_initial"), ("directory", "0002_foreign_keys")]

    operations = [
        AddCompositeForeignKeys("DutyLine"),
    ]
