"""Make a new key for signing prescriptions."""

from typing import Any

from django.core.management.base import BaseCommand

from sanjeevani.documents.signing import rotate_signing_key


class Command(BaseCommand):
    """Add a key to the signing folder; every process signs with it from its next signature on."""

    help = "Sign with a new key from now on; what older keys signed stays valid."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key and print its identifier."""
        self.stdout.write(f"Signing with {rotate_signing_key()} from now on.")
