"""All screens. Every workplace has its own list; the names here are `web:<name>`."""

from django.urls import include, path

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

urlpatterns = [
    path("", include("sanjeevani.web.public.urls")),
    path("", include("sanjeevani.web.patient.urls")),
    path("", include((shared, "web"))),
    path("", include("sanjeevani.web.sign_in.urls")),
    path("", include("sanjeevani.web.calls.urls")),
    path("", include("sanjeevani.web.spoke.urls")),
    path("", include("sanjeevani.web.doctor.urls")),
    path("", include("sanjeevani.web.grievance.urls")),
    path("", include("sanjeevani.web.observer.urls")),
    path("", include("sanjeevani.web.national.urls")),
    path("", include("sanjeevani.web.state.urls")),
    path("", include("sanjeevani.web.facility.urls")),
    path("", include("sanjeevani.web.onboarding.urls")),
    path("", include("sanjeevani.web.inbox.urls")),
]
