"""Keeps the roll-ups in step with the facts."""

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    """Registers the listeners."""

    name = "sanjeevani.reporting"

    def ready(self) -> None:
        """Register once models can be imported."""
        from sanjeevani.foundation import outbox
        from sanjeevani.reporting.presence import PRESENCE_KINDS, count_presence
        from sanjeevani.reporting.rollups import KINDS, LISTENER, count_facts

        outbox.listen(LISTENER, KINDS, count_facts)
        outbox.listen("presence", PRESENCE_KINDS, count_presence)
