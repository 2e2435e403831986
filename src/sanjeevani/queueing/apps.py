"""Tells the live layer what the screens of a line show."""

from django.apps import AppConfig


class QueueingConfig(AppConfig):
    """Registers the snapshot of lines."""

    name = "sanjeevani.queueing"

    def ready(self) -> None:
        """Register once models can be imported."""
        from sanjeevani.foundation.live import register_snapshot
        from sanjeevani.queueing.queries import snapshot_lines

        register_snapshot("line", snapshot_lines)
