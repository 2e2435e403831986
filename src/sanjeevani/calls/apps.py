"""Tells the live layer which rooms are over, and places phone calls that were asked for."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    """Registers the snapshot of rooms and the listener for phone calls."""

    name = "sanjeevani.calls"

    def ready(self) -> None:
        """Register once models can be imported."""
        from sanjeevani.calls.events import PhoneCallAsked
        from sanjeevani.calls.queries import snapshot_rooms
        from sanjeevani.calls.tasks import place_soon
        from sanjeevani.foundation import live, outbox

        live.register_snapshot("room", snapshot_rooms)
        outbox.listen("phone_calls", frozenset({PhoneCallAsked.kind}), place_soon)
