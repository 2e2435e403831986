"""The token slip: the same facts on the screen, on the counter's roll and as a PDF."""

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _

from sanjeevani.consultation.models import Consultation
from sanjeevani.directory.queries import clinics_of_lines, hub_lines
from sanjeevani.documents.prescription_document import TokenSlipDocument
from sanjeevani.documents.typesetting import render
from sanjeevani.foundation import clock
from sanjeevani.queueing import queries as queueing
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.models import TokenStatus
from sanjeevani.web.jinja import clock as time_of_day
from sanjeevani.web.names import place_of, speciality_names
from sanjeevani.web.patient.views import name_of


def slip_facts(consultation: Consultation) -> TokenSlipDocument:
    """Return what stands on the slip of a consultation read with its token, for its reader."""
    token, at_spoke = consultation.token, consultation.spoke_id is not None
    line_name, facility_name = _where(consultation)
    place = queueing.place_of(token) if token.status == TokenStatus.WAITING else None
    wait = queueing.wait_of(token, place) if place else None
    return TokenSlipDocument(
        token=str(token.number),
        line_name=line_name,
        facility_name=facility_name,
        date=token.day.isoformat(),
        patient_name=consultation.patient_name,
        place=str(place) if place else "",
        expected_wait=_wait_words(wait) if wait else "",
        issued_at=time_of_day(clock.now()),
        opens_at="",
        # At a spoke the tablet of the staff rings, and nobody else opens its page meanwhile.
        note=_("Stay close by: the staff tell you when it is your turn.") if at_spoke else "",
        qr_content=""
        if at_spoke
        else f"{settings.PUBLIC_URL}/consultations/{consultation.state_id}/{consultation.id}",
    )


def _where(consultation: Consultation) -> tuple[str, str]:
    """Return the names of the OPD, or a hub's speciality, and of its facility."""
    line_id = consultation.line_id
    key = (consultation.state_id, line_id)
    clinic = clinics_of_lines([key]).get(line_id)
    if clinic is not None:
        return name_of(clinic), name_of(clinic.facility)
    line = hub_lines([key])[line_id]
    return speciality_names()[line.speciality_code], place_of(line.facility)


def _wait_words(wait: WaitInterval) -> str:
    if wait.low < 1:
        return _("Up to %(high)s minutes") % {"high": wait.high}
    return _("About %(low)s to %(high)s minutes") % {"low": wait.low, "high": wait.high}


def slip_pdf(consultation: Consultation, language: str) -> HttpResponse:
    """Return the slip as a PDF of 80 mm width."""
    facts = slip_facts(consultation)
    return HttpResponse(
        render("token_slip", facts, language, issued_at=consultation.requested_at),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="token-{facts["token"]}.pdf"'},
    )
