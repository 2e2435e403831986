"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("directory", "0003_holidays_and_registrations")]

    operations = [AddCompositeForeignKeys("Holiday")]
