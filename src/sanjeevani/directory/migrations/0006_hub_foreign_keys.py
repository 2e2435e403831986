"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("directory", "0005_hubs_and_codes")]

    operations = [
        AddCompositeForeignKeys("AwaitedPost"),
        AddCompositeForeignKeys("HubLink"),
    ]
