"""The mobile on which a patient of the spoke reads: staff find it out, its owner agrees."""

import uuid

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from sanjeevani.consultation.mobiles import give_mobile
from sanjeevani.foundation.errors import DomainError
from sanjeevani.patients.mobiles import mobile_of, send_mobile_code
from sanjeevani.patients.queries import own_patient
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.patient.views import see
from sanjeevani.web.spoke.access import at_spoke, require_spoke
from sanjeevani.web.spoke.forms import PresenceForm, TheirMobileForm
from sanjeevani.web.spoke.turns import render


@at_spoke
@require_http_methods(["GET", "POST"])
def mobile(request: PortalRequest, patient_id: uuid.UUID) -> HttpResponse:
    """Join a patient to a mobile by the code that its owner tells. The patient waits for nothing:
    consultations go on without."""
    require_spoke(request)
    person = own_patient(request.actor, patient_id)
    held = mobile_of(request.actor, person)
    do = request.POST.get("do", "")
    their = TheirMobileForm(request.POST if do else None, initial={"mobile": held.told})
    code = PresenceForm(request.POST if do == "code" else None)
    problem: DomainError | None = None
    try:
        if do == "send" and their.is_valid():
            challenge = send_mobile_code(
                request.actor, patient_id=person.id, mobile=their.cleaned_data["mobile"]
            )
            code = PresenceForm(initial={"challenge": challenge})
        elif do == "code" and code.is_valid():
            give_mobile(request.actor, patient_id=person.id, **code.cleaned_data)
            return see(reverse("patient:person", args=[person.id]))
    except DomainError as error:
        problem = error
    context = {
        "person": person,
        "held": held,
        "their": their,
        "form": code,
        "problem": problem,
        "tried": "id_code" if do == "code" else "id_mobile",
        "failed": problem is not None or bool(their.errors or code.errors),
        "sent": bool(code["challenge"].value()),
    }
    status = problem.status if problem else 422 if context["failed"] else 200
    return render(request, "spoke/mobile.html", context, status=status)
