import django.db.models.deletion
from django.db import migrations, models

import sanjeevani.foundation.ids


class Migration(migrations.Migration):
    dependencies = [
        ("consultation", "0010_written"),
    ]

    operations = [
        migrations.CreateModel(
            name="AskReference",
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
                ("colleague_id", models.UUIDField()),
                ("ask_state_id", models.SmallIntegerField()),
                ("read_until", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["state_id", "colleague_id", "read_until"], name="ask_of_colleague"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Ask",
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
                ("consultation_id", models.UUIDField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("later", "Comes later"),
                            ("present", "Has come in"),
                            ("left", "Was there"),
                            ("declined", "Declined"),
                            ("withdrawn", "Taken back"),
                            ("objected", "The patient objected"),
                            ("lapsed", "No answer"),
                        ],
                        default="asked",
                        max_length=9,
                    ),
                ),
                ("speciality_code", models.CharField(max_length=30)),
                ("colleague_state_id", models.SmallIntegerField()),
                ("colleague_id", models.UUIDField()),
                ("colleague_name", models.CharField(max_length=100)),
                ("colleague_qualification", models.CharField(max_length=100)),
                ("colleague_registration", models.CharField(max_length=100)),
                ("asked_at", models.DateTimeField()),
                ("answer_by", models.DateTimeField()),
                ("comes_at", models.DateTimeField(null=True)),
                ("word", models.CharField(blank=True, max_length=300)),
                ("read_until", models.DateTimeField()),
                ("advice", models.TextField(blank=True, max_length=4000)),
                ("advised_at", models.DateTimeField(null=True)),
                (
                    "consultation",
                    models.ForeignObject(
                        from_fields=["state_id", "consultation_id"],
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consultation.consultation",
                        to_fields=["state_id", "id"],
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["state_id", "consultation_id", "id"], name="ask_of_consultation"
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["asked", "later"])),
                        fields=["answer_by"],
                        name="ask_unanswered",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["asked", "later", "present"])),
                        fields=("state_id", "consultation_id"),
                        name="ask_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("comes_at__isnull", True), ("status", "later"), _negated=True
                        ),
                        name="ask_later",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("advice", ""), ("advised_at__isnull", True)),
                            models.Q(
                                models.Q(("advice", ""), _negated=True),
                                ("advised_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="ask_advice",
                    ),
                ],
            },
        ),
    ]
