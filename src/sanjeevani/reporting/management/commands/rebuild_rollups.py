"""Count every consultation anew."""

from typing import Any

from django.core.management.base import BaseCommand

from sanjeevani.reporting.presence import count_presence
from sanjeevani.reporting.rollups import rebuild


class Command(BaseCommand):
    """`sanjeevani rebuild_rollups`."""

    help = "Empty the roll-ups and count every consultation anew. Always gives the same figures."

    def handle(self, *args: Any, **options: Any) -> None:
        """Rebuild, and say how many consultations were counted."""
        self.stdout.write(f"Counted {rebuild()} consultations.")
        count_presence()
