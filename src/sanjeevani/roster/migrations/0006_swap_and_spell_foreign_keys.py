"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("roster", "0005_leave_swaps_and_spells")]

    operations = [AddCompositeForeignKeys("ShiftOffer"), AddCompositeForeignKeys("Spell")]
