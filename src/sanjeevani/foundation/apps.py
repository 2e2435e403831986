"""What happens whenever the schema has changed: grants, and a new edition of what is kept."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class FoundationConfig(AppConfig):
    """The one place that uses a signal: Django sends it when migrations are done."""

    name = "sanjeevani.foundation"

    def ready(self) -> None:
        """Connect what follows migrations."""
        post_migrate.connect(grant_to_serving_role, sender=self)
        post_migrate.connect(begin_an_edition, sender=self)


def begin_an_edition(using: str, **_: Any) -> None:
    """Let processes that run forget what they keep: a migration may have changed rows by SQL."""
    if using != "owner":
        return
    # The module defines models, which Django allows only once all apps are known.
    from sanjeevani.foundation.models import Mark
    from sanjeevani.foundation.steady import changed

    if Mark._meta.db_table in connections[using].introspection.table_names():
        changed(using)


def grant_to_serving_role(using: str, **_: Any) -> None:
    """Let the serving role read and write, but never change what is insert-only."""
    if using != "owner":
        return
    # The module defines models, which Django allows only once all apps are known.
    from sanjeevani.foundation.sharding import insert_only_tables

    connection = connections[using]
    role = connection.ops.quote_name(connections["default"].settings_dict["USER"])
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        cursor.execute(
            f"GRANT USAGE ON SCHEMA public TO {role};"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
        )
        for table in insert_only_tables():
            if table in present:
                cursor.execute(
                    f"REVOKE UPDATE, DELETE, TRUNCATE ON {connection.ops.quote_name(table)}"
                    f" FROM {role}"
                )
