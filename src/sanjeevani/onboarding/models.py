"""Imports of a network from files, what each found, and which records it made."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import ShardedModel, sharded_relation


class ImportStatus(models.TextChoices):
    """Where an import stands."""

    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked, nothing stored yet")
    IMPORTING = "importing", _("Being brought in")
    DONE = "done", _("Brought in")
    REFUSED = "refused", _("The file cannot be used")
    STOPPED = "stopped", _("Stopped")
    DROPPED = "dropped", _("Dropped")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")


class NetworkImport(ShardedModel):
    """One import of facilities, hub links and staff, in the tenant of who started it.

    The actor is who last asked for something: the background acts in their name.

    `sheets` lists what is read, in order: path, file, sheet, kind, unused columns. (`sheet`,
    `line`) is the last row that was dealt with; the next run of the import goes on after it.
    `counts` by kind: rows, new, there, broken.
    """

    status = models.CharField(
        max_length=10, choices=ImportStatus.choices, default=ImportStatus.CHECKING
    )
    actor_kind = models.CharField(max_length=10)
    account_id = models.UUIDField(null=True)
    post_id = models.UUIDField(null=True)
    actor_state_id = models.SmallIntegerField(null=True)
    """Where the post is: a national administrator goes on with a state's import. None: here."""
    sheets = models.JSONField()
    counts = models.JSONField(default=dict)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    sheet = models.PositiveSmallIntegerField(default=0)
    line = models.PositiveIntegerField(default=0)
    refusal = models.JSONField(null=True)
    """Why it was refused, stopped, or could not be undone: `{"code": ..., "params": ...}`."""
    invites_asked_at = models.DateTimeField(null=True)
    last_invited_id = models.UUIDField(null=True)
    """The last account record whose holder was invited."""
    invited = models.PositiveIntegerField(default=0)
    invites_done = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    """Until when a process works on it; one that died is followed by another."""
    attempts = models.PositiveSmallIntegerField(default=0)
    """How many processes have begun to work on it since anything came of it."""
    goes_on_as = models.CharField(max_length=10, choices=ImportStatus.choices, blank=True)
    """What a stopped one is again when it goes on."""
    falls_back_to = models.CharField(max_length=10, choices=ImportStatus.choices, blank=True)
    """What one that is being undone is again when that cannot be."""

    class Meta:
        indexes = [models.Index(fields=["status", "leased_until"], name="import_to_go_on")]


class ImportedRecord(ShardedModel):
    """That an import made a record, from which line: the audit trail of batches, and for undo."""

    insert_only = True

    import_id = models.UUIDField()
    network_import = sharded_relation("onboarding.NetworkImport", "import_id")
    sheet = models.PositiveSmallIntegerField()
    line = models.PositiveIntegerField()
    record_type = models.CharField(max_length=40)
    record_state_id = models.SmallIntegerField()
    record_id = models.UUIDField()

    class Meta:
        indexes = [
            models.Index(
                fields=["state_id", "import_id", "record_type", "id"], name="record_by_import"
            ),
            models.Index(fields=["record_id"], name="import_by_record"),
        ]


class ImportFinding(ShardedModel):
    """What is wrong with a row, or worth knowing. `code` names the message in `messages.py`."""

    import_id = models.UUIDField()
    network_import = sharded_relation("onboarding.NetworkImport", "import_id")
    sheet = models.PositiveSmallIntegerField()
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=30, blank=True)
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    is_error = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["state_id", "import_id", "sheet", "line", "id"], name="finding_by_line"
            )
        ]
