"""What everybody may see."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sanjeevani.web.access import PortalRequest, public


@public
@require_safe
def landing(request: PortalRequest) -> HttpResponse:
    """What this is, and the one big button."""
    return render(request, "public/landing.html")


@public
@require_safe
def emergency(request: PortalRequest) -> HttpResponse:
    """Ring 108."""
    return render(request, "public/emergency.html")
