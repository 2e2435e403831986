"""`sanjeevani load-demo`: fill an empty installation so that there is something to try."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sanjeevani.demo.loading import is_loaded, load
from sanjeevani.terminology.models import Speciality


class Command(BaseCommand):
    """Loads the demo once; a second run changes nothing."""

    help = "Load demo data: a small slice by default, or the whole nation of June 2021."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--size`, `--seed`."""
        parser.add_argument("--size", choices=["small", "nation"], default="small")
        parser.add_argument("--seed", type=int, default=20210610)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say where the sign-ins are."""
        if settings.PRODUCTION:
            raise CommandError("Demo data does not belong into a production installation.")
        if is_loaded():
            self.stdout.write("Demo data is there already; nothing changed.")
            return
        if not Speciality.objects.exists():
            raise CommandError("Reference data is missing. Run `sanjeevani load_reference` first.")
        sign_ins = settings.DATA_DIR / "demo-sign-ins.txt"
        demo = load(options["size"], options["seed"], sign_ins)
        self.stdout.write(
            f"{len(demo.clinics)} OPDs in {len(demo.opened_states) - 1} states"
            f" and {len(demo.practitioners)} practitioners. Sign-ins: {sign_ins}"
        )
