"""Addresses of the doctor's desk."""

from django.urls import path

from sanjeevani.web.doctor import asking, call_views, correcting, papers, roster, views

app_name = "doctor"

_ONE = "desk/consultations/<int:state_id>/<uuid:consultation_id>"
_ASKED = "desk/asked/<int:state_id>/<uuid:ask_id>"

urlpatterns = [
    path("desk", views.desk, name="desk"),
    path("desk/duty", views.duty, name="duty"),
    path("desk/next", views.next_patient, name="next"),
    path("desk/written", views.next_written, name="written"),
    path("desk/today", views.today, name="today"),
    path("desk/roster", roster.roster, name="roster"),
    path(
        "desk/roster/<int:state_id>/<uuid:line_id>/<int:begins>", roster.offer, name="offer-shift"
    ),
    path("desk/lines", views.lines, name="lines"),
    path("desk/inbox", views.inbox, name="inbox"),
    path("desk/call", views.call, name="call"),
    path("desk/ticket", views.ticket, name="ticket"),
    path("desk/templates", views.templates, name="templates"),
    path("desk/templates/<uuid:template_id>", views.templates, name="template"),
    path("desk/templates/<uuid:template_id>/delete", views.forget_template, name="template-delete"),
    path(_ONE, views.record, name="record"),
    path(f"{_ONE}/write", views.write, name="write"),
    path(f"{_ONE}/messages", views.messages, name="messages"),
    path(f"{_ONE}/papers", papers.papers, name="papers"),
    path(f"{_ONE}/papers/show", papers.show, name="show-paper"),
    path(f"{_ONE}/papers/<uuid:upload_id>", papers.paper, name="paper"),
    path(f"{_ONE}/reply", views.reply, name="reply"),
    path(f"{_ONE}/asks", asking.asks, name="asks"),
    path(f"{_ONE}/seat", call_views.seat, name="seat"),
    path(f"{_ONE}/room", call_views.room, name="room"),
    path(f"{_ONE}/sign", views.sign, name="sign"),
    path(f"{_ONE}/letter", views.letter, name="letter"),
    path(f"{_ONE}/prescription", views.prescription, name="prescription"),
    path(f"{_ONE}/prescription/replace", correcting.replace_signed, name="replace-prescription"),
    path(f"{_ONE}/prescription/cancel", correcting.cancel_signed, name="cancel-prescription"),
    path(_ASKED, asking.asked, name="asked"),
    path(f"{_ASKED}/notes", asking.asked_notes, name="asked-notes"),
    path(f"{_ASKED}/state", asking.asked_state, name="asked-state"),
    path(f"{_ASKED}/seat", asking.asked_seat, name="asked-seat"),
    path(f"{_ASKED}/papers", asking.asked_papers, name="asked-papers"),
    path(f"{_ASKED}/papers/<uuid:upload_id>", asking.asked_paper, name="asked-paper"),
]
