"""All screens. Every workplace has its own list; the names here are `web:<name>`."""

from typing import Any

from django.urls import URLResolver, include, path
from django.urls.resolvers import RoutePattern

from sanjeevani.web.grievance.views import complain
from sanjeevani.web.language import choose
from sanjeevani.web.public.views import about, privacy
from sanjeevani.web.shared.views import shared as shared_record
from sanjeevani.web.verification.views import offline, verification

shared = [
    path("about", about, name="about"),
    path("privacy", privacy, name="privacy"),
    path("grievance", complain, name="grievance"),
    path("language", choose, name="language"),
    path("verify", verification, name="verify"),
    path("verify/offline", offline, name="verify-offline"),
    path("shared/<str:token>", shared_record, name="shared"),
]


class _FirstSegment(RoutePattern):
    """Admits paths by their first segment, so that one workplace's routes are tried, not all."""

    def __init__(self, segments: frozenset[str]) -> None:
        super().__init__("", is_endpoint=False)
        self._segments = segments

    def match(self, path: str) -> Any:
        """Return what `include("")` would, or None."""
        return (path, (), {}) if path.partition("/")[0] in self._segments else None


def workplace(routes: Any) -> URLResolver:
    """Include a list of routes, each of which begins with a segment that is written out."""
    module, app_name, namespace = include(routes)
    patterns = [str(one.pattern) for one in getattr(module, "urlpatterns", module)]
    segments = frozenset(pattern.partition("/")[0] for pattern in patterns)
    if any("<" in segment for segment in segments):
        raise ValueError(f"{namespace}: a route begins with a value")
    return URLResolver(_FirstSegment(segments), module, app_name=app_name, namespace=namespace)


urlpatterns = [
    workplace("sanjeevani.web.public.urls"),
    workplace("sanjeevani.web.patient.urls"),
    workplace((shared, "web")),
    workplace("sanjeevani.web.sign_in.urls"),
    workplace("sanjeevani.web.calls.urls"),
    workplace("sanjeevani.web.spoke.urls"),
    workplace("sanjeevani.web.doctor.urls"),
    workplace("sanjeevani.web.grievance.urls"),
    workplace("sanjeevani.web.observer.urls"),
    workplace("sanjeevani.web.national.urls"),
    workplace("sanjeevani.web.state.urls"),
    workplace("sanjeevani.web.facility.urls"),
    workplace("sanjeevani.web.onboarding.urls"),
    workplace("sanjeevani.web.inbox.urls"),
]
