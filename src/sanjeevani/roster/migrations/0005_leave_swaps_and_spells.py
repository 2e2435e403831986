import datetime

import django.db.models.deletion
from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0008_written_lines"),
        ("roster", "0004_weekly_plan_foreign_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Break",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "practitioner_id",
                        "began_at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("practitioner_id", models.UUIDField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="LeaveDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "practitioner_id",
                        "date",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("practitioner_id", models.UUIDField()),
                ("date", models.DateField()),
                ("leave_id", models.UUIDField()),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ShiftOffer",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "state_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("state_id", models.SmallIntegerField()),
                ("id", models.UUIDField(default=sanjeevani.foundation.ids.uuid7)),
                ("line_id", models.UUIDField()),
                ("owner_id", models.UUIDField()),
                ("giver_id", models.UUIDField()),
                ("giver_state_id", models.SmallIntegerField()),
                ("taker_id", models.UUIDField()),
                ("taker_state_id", models.SmallIntegerField()),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Not answered yet"),
                            ("accepted", "Taken over"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                            ("passed_on", "Passed on"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("offered_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Spell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "state_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("state_id", models.SmallIntegerField()),
                ("id", models.UUIDField(default=sanjeevani.foundation.ids.uuid7)),
                ("line_id", models.UUIDField()),
                ("practitioner_id", models.UUIDField()),
                ("practitioner_state_id", models.SmallIntegerField()),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="weeklyplan",
            name="weekly_plan_once",
        ),
        migrations.AddField(
            model_name="weeklyplan",
            name="since",
            field=models.DateField(default=datetime.date(2026, 11, 1)),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="weeklyplan",
            name="until",
            field=models.DateField(null=True),
        ),
        migrations.AddConstraint(
            model_name="weeklyplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until__isnull", True)),
                fields=("state_id", "line_id", "practitioner_id", "weekday", "begins"),
                name="weekly_plan_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("practitioner_id",),
                name="break_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True),
                    ("ended_at__gte", models.F("began_at")),
                    _connector="OR",
                ),
                name="break_in_order",
            ),
        ),
        migrations.AddField(
            model_name="shiftoffer",
            name="line",
            field=models.ForeignObject(
                from_fields=["state_id", "line_id"],
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="directory.line",
                to_fields=["state_id", "id"],
            ),
        ),
        migrations.AddField(
            model_name="spell",
            name="line",
            field=models.ForeignObject(
                from_fields=["state_id", "line_id"],
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="directory.line",
                to_fields=["state_id", "id"],
            ),
        ),
        migrations.AddIndex(
            model_name="shiftoffer",
            index=models.Index(fields=["state_id", "line_id", "begins_at"], name="shift_by_line"),
        ),
        migrations.AddConstraint(
            model_name="shiftoffer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "accepted")),
                fields=("state_id", "line_id", "owner_id", "begins_at"),
                name="shift_taken_over_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="shiftoffer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "open")),
                fields=("state_id", "line_id", "owner_id", "begins_at", "taker_id"),
                name="shift_offered_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="shiftoffer",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("begins_at"))), name="shift_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="shiftoffer",
            constraint=models.CheckConstraint(
                condition=models.Q(("taker_id", models.F("giver_id")), _negated=True),
                name="shift_to_another",
            ),
        ),
        migrations.AddIndex(
            model_name="spell",
            index=models.Index(fields=["state_id", "line_id", "began_at"], name="spell_by_line"),
        ),
        migrations.AddConstraint(
            model_name="spell",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("state_id", "line_id", "practitioner_id"),
                name="spell_open_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="spell",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ended_at__isnull", True),
                    ("ended_at__gte", models.F("began_at")),
                    _connector="OR",
                ),
                name="spell_in_order",
            ),
        ),
    ]
