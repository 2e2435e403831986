"""Keeps the roll-ups in step with the facts."""

from django.apps import AppConfig

SECONDS = 10
"""Figures are for people who read them, not for screens that wait: a batch costs what a fact does,
and counted twice a second they took half of the job worker's time."""


class ReportingConfig(AppConfig):
    """Registers the listeners."""

    name = "sanjeevani.reporting"

    def ready(self) -> None:
        """Register once models can be imported."""
        from sanjeevani.foundation import outbox
        from sanjeevani.reporting.presence import PRESENCE_KINDS, count_presence
        from sanjeevani.reporting.rollups import KINDS, LISTENER, count_facts

        outbox.listen(LISTENER, KINDS, count_facts, every=SECONDS)
        outbox.listen("presence", PRESENCE_KINDS, count_presence, every=SECONDS)
