"""The composite foreign keys, apart from the tables: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [("roster", "0003_weekly_plans")]

    operations = [AddCompositeForeignKeys("WeeklyPlan")]
