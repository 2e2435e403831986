"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("queueing", "0001_initial"), ("directory", "0002_foreign_keys")]

    operations = [
        AddCompositeForeignKeys("LineDay"),
        AddCompositeForeignKeys("Token"),
        AddCompositeForeignKeys("WaitPromise"),
    ]
