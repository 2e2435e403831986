"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("consultation", "0011_asks")]

    operations = [AddCompositeForeignKeys("Ask")]
