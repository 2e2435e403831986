"""The composite foreign keys of letters and templates: see `AddCompositeForeignKeys`."""

from django.db import migrations

from sanjeevani.foundation.sharding import AddCompositeForeignKeys


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0003_letters_and_templates"),
        ("directory", "0002_foreign_keys"),
    ]

    operations = [
        AddCompositeForeignKeys("ReferralLetter"),
        AddCompositeForeignKeys("NoteTemplate"),
    ]
