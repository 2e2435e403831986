"""The patient's workplace."""

from django.urls import path

from sanjeevani.web.patient import call_views, consultation_views, views

app_name = "patient"

_PERSON = "people/<uuid:patient_id>"
_CONSULTATION = "consultations/<int:state_id>/<uuid:consultation_id>"

urlpatterns = [
    path("start", views.start, name="start"),
    path("people", views.people, name="people"),
    path("people/add", views.add, name="add"),
    path(_PERSON, views.person, name="person"),
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
    path(f"{_CONSULTATION}/write", consultation_views.write, name="write"),
    path(f"{_CONSULTATION}/ticket", consultation_views.ticket, name="ticket"),
    path(f"{_CONSULTATION}/answer", consultation_views.take_call, name="answer"),
    path(f"{_CONSULTATION}/cancel", consultation_views.give_back, name="cancel"),
    path(f"{_CONSULTATION}/resume", consultation_views.return_to_call, name="resume"),
    path(f"{_CONSULTATION}/seek-doctor", consultation_views.seek_doctor, name="seek-doctor"),
    path(f"{_CONSULTATION}/again", consultation_views.again, name="again"),
    path(f"{_CONSULTATION}/check", call_views.check, name="check"),
    path(f"{_CONSULTATION}/call", call_views.call, name="call"),
    path(f"{_CONSULTATION}/seat", call_views.seat, name="seat"),
    path(f"{_CONSULTATION}/photo", call_views.photo, name="photo"),
    path(f"{_CONSULTATION}/photo/<uuid:message_id>", call_views.attachment, name="attachment"),
    path(f"{_CONSULTATION}/feedback", consultation_views.feedback, name="feedback"),
    path(
        f"{_CONSULTATION}/prescription.pdf",
        consultation_views.prescription_pdf,
        name="prescription-pdf",
    ),
]
