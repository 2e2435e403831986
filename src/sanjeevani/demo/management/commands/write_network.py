"""`sanjeevani write-network FOLDER`: files to try `import-network` with."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sanjeevani.demo.network_files import write_network
from sanjeevani.directory.models import State


class Command(BaseCommand):
    """Writes the files of a made-up network for all open states."""

    help = "Write facilities.csv, hub_links.csv and staff.csv of a made-up network into a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder, and how many."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--spokes", type=int, default=20_000)
        parser.add_argument("--hubs", type=int, default=1_800)
        parser.add_argument("--staff", type=int, default=40_000)
        parser.add_argument("--broken", type=float, default=0.02, help="share of broken rows")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write them."""
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        states = State.objects.filter(opened_at__isnull=False, lgd_code__gt=0)
        written = write_network(
            folder,
            states=sorted(states.values_list("lgd_code", flat=True)),
            spokes=options["spokes"],
            hubs=options["hubs"],
            staff=options["staff"],
            broken=options["broken"],
        )
        for path in written.paths:
            self.stdout.write(
                f"{path}: {written.rows[path.name]} rows, {len(written.broken[path.name])} broken"
            )
