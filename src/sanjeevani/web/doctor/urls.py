"""Addresses of the doctor's desk."""

from django.urls import path

from sanjeevani.web.doctor import call_views, views

app_name = "doctor"

_ONE = "desk/consultations/<int:state_id>/<uuid:consultation_id>"

urlpatterns = [
    path("desk", views.desk, name="desk"),
    path("desk/duty", views.duty, name="duty"),
    path("desk/next", views.next_patient, name="next"),
    path("desk/today", views.today, name="today"),
    path("desk/lines", views.lines, name="lines"),
    path("desk/call", views.call, name="call"),
    path("desk/ticket", views.ticket, name="ticket"),
    path(_ONE, views.record, name="record"),
    path(f"{_ONE}/hand-back", views.hand_back, name="hand-back"),
    path(f"{_ONE}/write", views.write, name="write"),
    path(f"{_ONE}/messages", views.messages, name="messages"),
    path(f"{_ONE}/reply", views.reply, name="reply"),
    path(f"{_ONE}/seat", call_views.seat, name="seat"),
    path(f"{_ONE}/room", call_views.room, name="room"),
    path(f"{_ONE}/photo/<uuid:message_id>", call_views.photo, name="photo"),
    path(f"{_ONE}/sign", views.sign, name="sign"),
    path(f"{_ONE}/prescription", views.prescription, name="prescription"),
]
