"""Addresses of calls that belong to no workplace: the third seat, and the gateway's reports."""

from django.urls import path

from sanjeevani.web.calls import machine, third

app_name = "calls"

_JOIN = "join/<int:state_id>/<str:secret>"

urlpatterns = [
    path(_JOIN, third.join, name="join"),
    path(f"{_JOIN}/call", third.third, name="third"),
    path(f"{_JOIN}/state", third.third_state, name="third-state"),
    path(f"{_JOIN}/seat", third.third_seat, name="third-seat"),
    path("internal/calls/seats", machine.seats, name="seats"),
]
