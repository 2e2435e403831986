from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0014_report_of_each_doctor"),
    ]

    operations = [
        migrations.AlterField(
            model_name="spoketodo",
            name="kind",
            field=models.CharField(
                choices=[
                    ("call_back", "Not held: ring the patient and ask again"),
                    ("answer", "The answer has come: tell the patient"),
                    ("follow_up", "The doctor wants to see the patient again"),
                    ("medicine", "A medicine is in stock again: tell the patient"),
                    ("changed", "The prescription was changed or cancelled: tell the patient"),
                ],
                max_length=9,
            ),
        ),
    ]
