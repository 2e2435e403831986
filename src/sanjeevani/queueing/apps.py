"""Tells the live layer what the screens of a line show, and keeps what they promised."""

from django.apps import AppConfig


class QueueingConfig(AppConfig):
    """Registers the snapshot of lines and the listener for promises."""

    name = "sanjeevani.queueing"

    def ready(self) -> None:
        """Register once models can be imported."""
        from sanjeevani.foundation import live, outbox
        from sanjeevani.queueing.events import TokenIssued
        from sanjeevani.queueing.promises import keep_promises
        from sanjeevani.queueing.queries import snapshot_lines

        live.register_snapshot("line", snapshot_lines)
        outbox.listen("promises", frozenset({TokenIssued.kind}), keep_promises)
