"""The token slip: the same facts on the screen, on the counter's roll and as a PDF."""

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.queries import clinics_of_lines
from sanjeevani.documents.prescription_document import TokenSlipDocument
from sanjeevani.documents.typesetting import render
from sanjeevani.foundation import clock
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.queueing.queries import place_of, wait_of


def slip_facts(consultation: Consultation, language: str) -> TokenSlipDocument:
    """Return what stands on the slip of a consultation read with its token."""
    token = consultation.token
    clinic = clinics_of_lines([(consultation.state_id, consultation.line_id)]).get(
        consultation.line_id
    )
    place = place_of(token) if token.status == TokenStatus.WAITING else None
    wait = wait_of(token, place) if place else None
    hindi = language == "hi"
    return TokenSlipDocument(
        token=str(token.number),
        line_name=(clinic.name_hi if hindi and clinic.name_hi else clinic.name) if clinic else "",
        facility_name=(
            (clinic.facility.name_hi if hindi and clinic.facility.name_hi else clinic.facility.name)
            if clinic
            else ""
        ),
        date=token.day.isoformat(),
        patient_name=consultation.patient_name,
        place=str(place) if place else "",
        expected_wait=_("About %(low)d to %(high)d minutes") % {"low": wait.low, "high": wait.high}
        if wait
        else "",
        issued_at=f"{timezone.localtime(clock.now()):%H:%M}",
        opens_at="",
        note="",
        qr_content=(
            f"{settings.PUBLIC_URL}/consultations/{consultation.state_id}/{consultation.id}"
        ),
    )


def slip_pdf(consultation: Consultation, language: str) -> HttpResponse:
    """Return the slip as a PDF of 80 mm width."""
    facts = slip_facts(consultation, language)
    return HttpResponse(
        render("token_slip", facts, language, issued_at=consultation.requested_at),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="token-{facts["token"]}.pdf"'},
    )
