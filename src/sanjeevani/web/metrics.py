"""How the service is doing, in the text format that Prometheus reads."""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from sanjeevani.foundation.access import machine
from sanjeevani.reporting.operation import Operation, operation

KEPT_SECONDS = 5
"""However many ask, the database is looked at once in so many seconds by each worker."""


@machine
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Show what is left undone and since when, to who has the token. Every worker says the same."""
    told = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(
        told, f"Bearer {settings.METRICS_TOKEN}"
    ):
        return HttpResponse(status=404)
    registry = CollectorRegistry(auto_describe=False)
    found: Operation | None = cache.get("operation")
    if found is None:
        found = operation()
        cache.set("operation", found, KEPT_SECONDS)
    registry.register(_Told(found))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Told(Collector):
    def __init__(self, found: Operation) -> None:
        self.found = found

    def collect(self) -> Iterable[Metric]:
        found, duty = self.found, self.found.duty
        yield _labelled(
            "fact_unread_seconds",
            "How long the oldest fact has waited for the relay or a listener.",
            "reader",
            found.unread,
        )
        yield _labelled("jobs", "Deferred jobs.", "status", found.jobs)
        for name, said, value in (
            ("messages_queued", "Messages that have not left.", found.messages.queued),
            ("message_queued_seconds", "How long the oldest has waited.", found.messages_wait),
            ("messages_sent", "Sent, of those of five minutes.", found.messages.sent),
            ("messages_failed", "Given up, of those of five minutes.", found.messages.failed),
            ("deadlines_late", "Deadlines that the sweeper has missed.", found.deadlines_late),
            ("patients_waiting", "Patients in all lines.", found.waiting),
            ("patient_waiting_seconds", "How long the longest has waited.", found.longest_wait),
            ("counted_seconds", "Since the job worker last counted.", found.counted_ago),
            ("doctors_on_duty", "Doctors on duty, as last counted.", duty.doctors),
            ("opds_open", "OPDs in their hours.", found.opds_open),
            ("opds_attended", "Of these, with a doctor on duty.", found.opds_attended),
        ):
            yield GaugeMetricFamily(f"sanjeevani_{name}", said, value=value)


def _labelled(name: str, said: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"sanjeevani_{name}", said, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
