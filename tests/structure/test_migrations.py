"""While a new version starts, the one before still writes: no migration may break it."""

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import (
    AddField,
    DeleteModel,
    RemoveConstraint,
    RemoveField,
    RenameField,
    RenameModel,
)
from django.db.models.fields import NOT_PROVIDED

TAKEN_AWAY = (DeleteModel, RemoveConstraint, RemoveField, RenameField, RenameModel)

BEFORE_ANYBODY_RAN_IT = {
    ("calls", "0003_seats_and_ladder"),
    ("consultation", "0005_conduct"),
    ("consultation", "0014_report_of_each_doctor"),
    ("directory", "0005_hubs_and_codes"),
    ("directory", "0007_presence"),
    ("directory", "0008_written_lines"),
    ("documents", "0002_links_listed"),
    ("onboarding", "0003_stopping"),
    ("patients", "0003_families"),
    ("patients", "0005_spokes"),
    ("queueing", "0003_near_notices"),
    ("roster", "0005_leave_swaps_and_spells"),
    ("terminology", "0002_allergy_aliases"),
    ("terminology", "0003_brands"),
}


def test_the_version_before_can_still_write() -> None:
    """A new column is null or has its default in the database; nothing is renamed or taken away.

    What nobody writes any more is taken away one version later, and entered above.
    """
    loader = MigrationLoader(None, ignore_no_migrations=True)
    breaking = [
        (*key, operation.describe())
        for key, migration in loader.disk_migrations.items()
        if migration.__module__.startswith("sanjeevani.") and key not in BEFORE_ANYBODY_RAN_IT
        for operation in migration.operations
        if isinstance(operation, TAKEN_AWAY)
        or (
            isinstance(operation, AddField)
            and not operation.field.null
            and operation.field.db_default is NOT_PROVIDED
        )
    ]
    assert breaking == []
