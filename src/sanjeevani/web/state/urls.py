"""The state administrator's workplace; national administrators work in it too."""

from django.urls import path

from sanjeevani.web.state import doctors, record_accesses, views

app_name = "state"

urlpatterns = [
    path("state", views.own, name="own"),
    path("states/<int:state_id>", views.home, name="home"),
    path("states/<int:state_id>/presence", views.presence, name="presence"),
    path("states/<int:state_id>/records", record_accesses.find, name="find-accesses"),
    path(
        "states/<int:state_id>/records/<uuid:patient_id>", record_accesses.accesses, name="accesses"
    ),
    path("states/<int:state_id>/facilities", views.facilities, name="facilities"),
    path("states/<int:state_id>/facilities/new", views.add_facility, name="add-facility"),
    path(
        "states/<int:state_id>/facilities/<uuid:facility_id>/change",
        views.change_one,
        name="change-facility",
    ),
    path(
        "states/<int:state_id>/facilities/<uuid:facility_id>/close",
        views.close_one,
        name="close-facility",
    ),
    path(
        "states/<int:state_id>/facilities/<uuid:facility_id>/opds/new",
        views.add_clinic,
        name="add-clinic",
    ),
    path("states/<int:state_id>/opds", views.clinics, name="clinics"),
    path("states/<int:state_id>/opds/<uuid:clinic_id>/states", views.states_served, name="serve"),
    path("states/<int:state_id>/staff", views.people, name="staff"),
    path("states/<int:state_id>/doctors", doctors.practitioners, name="doctors"),
    path("states/<int:state_id>/doctors/new", doctors.enrol, name="enrol"),
    path("states/<int:state_id>/doctors/<uuid:practitioner_id>", doctors.one, name="doctor"),
    path(
        "states/<int:state_id>/doctors/<uuid:practitioner_id>/change",
        doctors.change,
        name="change-doctor",
    ),
    path(
        "states/<int:state_id>/doctors/<uuid:practitioner_id>/withdraw",
        doctors.withdraw,
        name="withdraw-doctor",
    ),
    path(
        "states/<int:state_id>/doctors/<uuid:practitioner_id>/post",
        doctors.give,
        name="give-post",
    ),
]
