"""The desk of a spoke, on a shared tablet. The patient's own pages do the rest."""

from django.urls import path

from sanjeevani.web.spoke import counter, mobile, tablet, views

app_name = "spoke"

_PERSON = "spoke/patients/<uuid:patient_id>"

urlpatterns = [
    path("spoke", views.desk, name="desk"),
    path("spoke/cases", views.cases, name="cases"),
    path("spoke/turns", views.turns, name="turns"),
    path("spoke/ticket", views.ticket, name="ticket"),
    path("spoke/find", views.find, name="find"),
    path("spoke/register", views.register, name="register"),
    path("spoke/to-do", views.tick_off, name="tick"),
    path("spoke/medicines", counter.counter, name="counter"),
    path("spoke/medicines/list", counter.counter_list, name="counter-list"),
    path("spoke/visit", tablet.visit, name="visit"),
    path("spoke/kept", tablet.kept, name="kept"),
    path("spoke/tablet", tablet.tablet, name="tablet"),
    path("tablet_worker.js", tablet.worker, name="worker"),
    path(
        "spoke/medicines/<int:state_id>/<uuid:prescription_id>", counter.hand_out, name="hand-out"
    ),
    path("spoke/medicines/<int:state_id>/<uuid:prescription_id>/slip", counter.slip, name="slip"),
    path("spoke/stock", counter.stock, name="stock"),
    path(
        "spoke/consultations/<int:state_id>/<uuid:consultation_id>/presence",
        views.presence,
        name="presence",
    ),
    path(f"{_PERSON}/take-in", views.receive, name="take-in"),
    path(f"{_PERSON}/mobile", mobile.mobile, name="mobile"),
    path(f"{_PERSON}/measure", views.measure, name="measure"),
    path(f"{_PERSON}/hubs", views.hubs, name="hubs"),
    path(f"{_PERSON}/hubs/<int:state_id>/<uuid:line_id>", views.ask, name="ask"),
]
