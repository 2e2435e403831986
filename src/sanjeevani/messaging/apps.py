"""Sends messages when the fact that one is queued arrives."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Listens to its own fact, so that a verb never waits for a job or a gateway."""

    name = "sanjeevani.messaging"

    def ready(self) -> None:
        """Register the listener."""
        from sanjeevani.foundation import outbox
        from sanjeevani.messaging.events import MessageQueued
        from sanjeevani.messaging.tasks import send_soon

        outbox.listen("messaging", frozenset({MessageQueued.kind}), send_soon)
