"""All routes."""

from django.urls import include, path

from sanjeevani.web.health import healthz, readyz
from sanjeevani.web.metrics import metrics

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path("api/v1/", include(("sanjeevani.api.application", "api"))),
    path("", include("sanjeevani.web.urls")),
]

handler400 = "sanjeevani.web.errors.bad_request"
handler403 = "sanjeevani.web.errors.permission_denied"
handler404 = "sanjeevani.web.errors.not_found"
handler500 = "sanjeevani.web.errors.server_error"
