from django.db import migrations, models

# Those agreed on before are recalled as well.
COPY = """
UPDATE consultation_consultationreference AS reference
SET follow_up_on = held.follow_up_on
FROM consultation_consultation AS held
WHERE held.state_id = reference.consultation_state_id AND held.id = reference.id
  AND held.follow_up_on >= CURRENT_DATE - 14
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0018_consent_at_the_desk"),
    ]

    operations = [
        migrations.AddField(
            model_name="consultationreference",
            name="follow_up_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="consultationreference",
            name="recalled_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="consultationreference",
            name="put_away_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(COPY, migrations.RunSQL.noop),
    ]
