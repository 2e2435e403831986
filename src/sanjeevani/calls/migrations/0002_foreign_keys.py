"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("calls", "0001_initial")]

    operations = [
        AddCompositeForeignKeys("ModeChange"),
        AddCompositeForeignKeys("Message"),
    ]
