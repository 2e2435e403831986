"""The public page that verifies a prescription, by its QR code or its number."""

from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sanjeevani.prescription.queries import Verification, verify, verify_number
from sanjeevani.web.access import PortalRequest, public
from sanjeevani.web.verification.forms import NumberForm

LONGEST_STATEMENT = 6000
"""Characters; a genuine statement of twenty medicines is shorter."""


@public
@require_safe
def offline(request: PortalRequest) -> HttpResponse:
    """How to verify without a network, and a verifier that runs in the page itself."""
    return render(request, "verification/offline.html")


@public
@never_cache
@require_safe
def verification(request: PortalRequest) -> HttpResponse:
    """Show what a signed statement (`s`) or a number (`number`) is worth; else ask for one."""
    answer: Verification | None = None
    form = NumberForm()
    if signed := request.GET.get("s", ""):
        answer = verify(signed[:LONGEST_STATEMENT])
    elif "number" in request.GET:
        form = NumberForm(request.GET)
        if form.is_valid():
            answer = verify_number(form.cleaned_data["number"])
    return render(
        request,
        "verification/page.html",
        {
            "form": form,
            "answer": answer,
            "issued_on": date.fromisoformat(answer.statement["issued_on"])
            if answer and answer.statement
            else None,
        },
        status=422 if form.errors else 200,
    )
