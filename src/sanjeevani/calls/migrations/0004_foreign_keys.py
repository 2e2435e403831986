"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("calls", "0003_seats_and_ladder")]

    operations = [
        AddCompositeForeignKeys("Presence"),
        AddCompositeForeignKeys("QualitySample"),
        AddCompositeForeignKeys("Invitation"),
        AddCompositeForeignKeys("PhoneCall"),
    ]
