"""What everybody may see."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from sanjeevani.documents.signing import public_keys
from sanjeevani.foundation.access import machine
from sanjeevani.patients.consent import CURRENT_NOTICE, NOTICES
from sanjeevani.web.access import PortalRequest, public
from sanjeevani.web.patient.consultation_views import open_now


@public
@require_safe
def landing(request: PortalRequest) -> HttpResponse:
    """What this is, and the one big button; before it, what a signed-in patient has open."""
    return render(request, "public/landing.html", {"open_now": open_now(request.actor)})


@public
@require_safe
def emergency(request: PortalRequest) -> HttpResponse:
    """Ring 108."""
    return render(request, "public/emergency.html")


@public
@require_safe
def about(request: PortalRequest) -> HttpResponse:
    """What the service is, for whom, and what it cannot do."""
    return render(request, "public/about.html")


@public
@require_safe
def how_to_use(request: PortalRequest) -> HttpResponse:
    """The steps with their pictures, to be read or printed and hung up."""
    return render(request, "public/how_to_use.html")


@public
@require_safe
def privacy(request: PortalRequest) -> HttpResponse:
    """What is kept, why, for how long, and whom to ask; with the notice that patients agree to."""
    return render(
        request,
        "public/privacy.html",
        {"notice": NOTICES[CURRENT_NOTICE], "version": CURRENT_NOTICE},
    )


@machine
@cache_control(public=True, max_age=3600)
@require_safe
def prescription_keys(request: HttpRequest) -> HttpResponse:
    """The public keys by which anybody verifies a prescription without us (RFC 7517)."""
    response = JsonResponse(public_keys(), content_type="application/jwk-set+json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
