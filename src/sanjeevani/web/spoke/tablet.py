"""What the shared tablet needs to keep entries while there is no link: docs/tablet.md."""

import base64
import dataclasses
import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from sanjeevani.foundation.access import machine
from sanjeevani.intake.visits import Visit, enter_visit
from sanjeevani.patients.errors import AlreadyRegistered
from sanjeevani.patients.models import Patient
from sanjeevani.terminology.danger_signs import danger_signs
from sanjeevani.terminology.queries import all_symptoms
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.patient.forms import TroubleForm
from sanjeevani.web.patient.measuring import MeasureForm
from sanjeevani.web.patient.pictures import pictures_of
from sanjeevani.web.patient.views import errors_on, language, see
from sanjeevani.web.sent_once import entered_at, sent_once
from sanjeevani.web.spoke.access import at_spoke, require_spoke, tablet_key, tablet_owner
from sanjeevani.web.spoke.forms import RegisterForm, VisitForm


@machine
@require_GET
def worker(_request: HttpRequest) -> HttpResponse:
    """The service worker, at the root: its pages stand at several paths."""
    served = Path(find("js/tablet_worker.js") or settings.STATIC_ROOT / "js/tablet_worker.js")
    return HttpResponse(
        served.read_bytes(),
        content_type="text/javascript",
        headers={"Cache-Control": "no-cache"},
    )


@at_spoke
@require_GET
def tablet(request: PortalRequest) -> JsonResponse:
    """Who is signed in, the key to what this person has kept, and the token to send it with."""
    require_spoke(request)
    key = base64.b64encode(tablet_key(request)).decode()
    return JsonResponse({"owner": tablet_owner(request), "key": key, "token": get_token(request)})


@at_spoke
@require_GET
def kept(request: PortalRequest) -> HttpResponse:
    """What waits on this tablet; also the page for when there is no link. Holds no patient."""
    require_spoke(request)
    return render(request, "spoke/kept.html")


@at_spoke
@require_http_methods(["GET", "POST"])
@sent_once
def visit(request: PortalRequest) -> HttpResponse:
    """A visit in one form, which works without a link; who may be registered already is offered."""
    require_spoke(request)
    data = request.POST or None
    own = VisitForm(data)
    person = RegisterForm(
        data, initial={"relation": "self", "district": request.post.facility.district}
    )
    symptoms = all_symptoms()
    trouble = TroubleForm(symptoms, language(), data, ask_pregnancy=True)
    measured = MeasureForm(language(), data)
    forms = (own, person, trouble, measured)
    alike: Patient | None = None
    failed = request.method == "POST" and any(form.errors for form in forms)
    if request.method == "POST" and not failed:
        try:
            with errors_on(person):
                patient = enter_visit(
                    request.actor,
                    visit=Visit(
                        key=person.cleaned_data["key"] or uuid.uuid4(),
                        entered_at=entered_at(request, own.cleaned_data["entered_at"]),
                        profile=person.profile(),
                        content=dataclasses.replace(trouble.content({}), vitals=measured.values),
                        mobile=person.cleaned_data["mobile"],
                        abha_number=person.cleaned_data["abha_number"],
                    ),
                    language=person.cleaned_data["language"],
                    patient_id=own.cleaned_data["same"],
                    is_another="another" in request.POST,
                )
                return see(reverse("patient:consent", args=[patient.id]))
        except AlreadyRegistered as error:
            alike = error.alike
    failed = failed or bool(person.errors)
    context: dict[str, Any] = {
        "own": own,
        "person_form": person,
        "trouble": trouble,
        "measured": measured,
        "pictures": pictures_of(symptoms),
        "signs": [sign.question_in(language()) for sign in danger_signs().values()],
        "alike": alike,
        "failed": failed,
    }
    status = AlreadyRegistered.status if alike else 422 if failed else 200
    return render(request, "spoke/visit.html", context, status=status)
