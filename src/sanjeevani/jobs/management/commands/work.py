"""`sanjeevani work`: the job worker."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from sanjeevani.jobs.worker import work


class Command(BaseCommand):
    """Run relay, listeners, sweeper and deferred jobs until stopped."""

    help = "Run the job worker: relay, listeners, sweeper and deferred jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM or SIGINT."""
        asyncio.run(work())
