"""Addresses that the pages of the gallery link to."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def nothing(_request: HttpRequest) -> HttpResponse:
    """Stand where a page would be."""
    return HttpResponse()


web = (
    [
        path(name, nothing, name=name)
        for name in ("language", "about", "privacy", "grievance", "verify")
    ],
    "web",
)
urlpatterns = [path("", include(web))]
