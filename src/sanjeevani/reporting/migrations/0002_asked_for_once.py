from django.db import migrations


class Migration(migrations.Migration):
    """Whoever was sent on was counted as asked for twice: where they asked, and where they came."""

    dependencies = [
        ("reporting", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            [
                "UPDATE reporting_linefigures SET requested = requested - redirected",
                "UPDATE reporting_statefigures SET requested = requested - redirected",
                "UPDATE reporting_statetotals SET requested = requested - redirected",
            ],
            [
                "UPDATE reporting_linefigures SET requested = requested + redirected",
                "UPDATE reporting_statefigures SET requested = requested + redirected",
                "UPDATE reporting_statetotals SET requested = requested + redirected",
            ],
        ),
    ]
