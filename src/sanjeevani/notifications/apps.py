"""Turns facts into messages."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Registers the listeners."""

    name = "sanjeevani.notifications"

    def ready(self) -> None:
        """Register once models can be imported."""
        from sanjeevani.foundation import outbox
        from sanjeevani.notifications.answers import ANSWER_KINDS, tell_authors
        from sanjeevani.notifications.notices import KINDS, tell_patients
        from sanjeevani.notifications.questions import QUESTION_KINDS, tell_askers

        outbox.listen("notifications", KINDS, tell_patients)
        outbox.listen("answers", ANSWER_KINDS, tell_authors)
        outbox.listen("questions", QUESTION_KINDS, tell_askers)
