"""The patient's workplace."""

from django.urls import path

from sanjeevani.web.patient import (
    call_views,
    consultation_views,
    families,
    papers,
    prescription_views,
    views,
)

app_name = "patient"

_PERSON = "people/<uuid:patient_id>"
_CONSULTATION = "consultations/<int:state_id>/<uuid:consultation_id>"

urlpatterns = [
    path("start", views.start, name="start"),
    path("people", families.people, name="people"),
    path("people/add", views.add, name="add"),
    path("people/left", families.left, name="left"),
    path("institution", families.institution, name="institution"),
    path("institution/residents", families.residents, name="residents"),
    path(_PERSON, families.person, name="person"),
    path(f"{_PERSON}/consultations", families.consultations, name="person-history"),
    path(f"{_PERSON}/leave", families.leave, name="leave"),
    path(f"{_PERSON}/back", families.bring_back, name="bring-back"),
    path(f"{_PERSON}/same", families.same, name="same"),
    path(f"{_PERSON}/representatives", families.representative, name="representative"),
    path(
        f"{_PERSON}/representatives/<uuid:representative_id>/revoke",
        families.revoke,
        name="revoke",
    ),
    path(f"{_PERSON}/companion", families.companion, name="companion"),
    path(f"{_PERSON}/accesses", families.accesses, name="accesses"),
    path(f"{_PERSON}/consent/decisions", families.decisions, name="decisions"),
    path(f"{_PERSON}/papers", papers.papers, name="papers"),
    path(f"{_PERSON}/papers/<uuid:upload_id>", papers.paper, name="paper"),
    path(f"{_PERSON}/papers/<uuid:upload_id>/remove", papers.remove, name="remove-paper"),
    path(f"{_PERSON}/edit", views.edit, name="edit"),
    path(f"{_PERSON}/consent", views.consent, name="consent"),
    path(f"{_PERSON}/consent/withdraw", views.withdraw, name="withdraw"),
    path(f"{_PERSON}/danger", views.danger, name="danger"),
    path(f"{_PERSON}/emergency", views.emergency, name="emergency"),
    path(f"{_PERSON}/trouble", views.trouble, name="trouble"),
    path(f"{_PERSON}/trouble/draft", views.keep_draft, name="draft"),
    path(f"{_PERSON}/opds", views.opds, name="opds"),
    path(f"{_PERSON}/opds/<int:state_id>/<uuid:clinic_id>", views.ask, name="ask"),
    path("consultations", consultation_views.history, name="history"),
    path(_CONSULTATION, consultation_views.consultation, name="consultation"),
    path(f"{_CONSULTATION}/status", consultation_views.status, name="status"),
    path(f"{_CONSULTATION}/messages", consultation_views.messages, name="messages"),
    path(f"{_CONSULTATION}/papers", papers.consultation_papers, name="consultation-papers"),
    path(
        f"{_CONSULTATION}/papers/<uuid:upload_id>",
        papers.consultation_paper,
        name="consultation-paper",
    ),
    path(
        f"{_CONSULTATION}/papers/<uuid:upload_id>/remove",
        papers.remove_from_consultation,
        name="remove-consultation-paper",
    ),
    path(f"{_CONSULTATION}/more", consultation_views.more, name="more"),
    path(f"{_CONSULTATION}/write", consultation_views.write, name="write"),
    path(f"{_CONSULTATION}/ticket", consultation_views.ticket, name="ticket"),
    path(f"{_CONSULTATION}/answer", consultation_views.take_call, name="answer"),
    path(f"{_CONSULTATION}/cancel", consultation_views.give_back, name="cancel"),
    path(f"{_CONSULTATION}/resume", consultation_views.return_to_call, name="resume"),
    path(f"{_CONSULTATION}/seek-doctor", consultation_views.seek_doctor, name="seek-doctor"),
    path(f"{_CONSULTATION}/put-away", consultation_views.put_away, name="put-away"),
    path(f"{_CONSULTATION}/again", consultation_views.again, name="again"),
    path(f"{_CONSULTATION}/letter.pdf", consultation_views.letter_pdf, name="letter-pdf"),
    path(f"{_CONSULTATION}/check", call_views.check, name="check"),
    path(f"{_CONSULTATION}/call", call_views.call, name="call"),
    path(f"{_CONSULTATION}/seat", call_views.seat, name="seat"),
    path(f"{_CONSULTATION}/feedback", consultation_views.feedback, name="feedback"),
    path(
        f"{_CONSULTATION}/prescription.pdf",
        prescription_views.prescription_pdf,
        name="prescription-pdf",
    ),
    path(f"{_CONSULTATION}/plan", prescription_views.plan, name="plan"),
    path(f"{_CONSULTATION}/share", prescription_views.share_prescription, name="share"),
    path(f"{_CONSULTATION}/share/<uuid:link_id>/end", prescription_views.end_link, name="end-link"),
    path(f"{_CONSULTATION}/slip", prescription_views.slip, name="slip"),
    path(f"{_CONSULTATION}/slip.pdf", prescription_views.slip_as_pdf, name="slip-pdf"),
]
