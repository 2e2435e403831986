"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("intake", "0005_entered_visits")]

    operations = [AddCompositeForeignKeys("EnteredVisit")]
