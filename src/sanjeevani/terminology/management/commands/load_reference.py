"""Load the reference data of every package that has some."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Call `load_reference()` of every application that defines it, lower layers first.

    A package joins by giving its AppConfig that method; it must be safe to repeat and return
    the number of rows by table. The order is that of INSTALLED_APPS.
    """

    help = "Load or refresh reference data; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the loaders and say what each wrote."""
        for application in apps.get_app_configs():
            load = getattr(application, "load_reference", None)
            if load is not None:
                counts = load()
                written = ", ".join(f"{table} {count}" for table, count in counts.items())
                self.stdout.write(f"{application.label}: {written or 'up to date'}")
