"""The facility administrator's workplace; those above work in it too."""

from django.urls import path

from sanjeevani.web.facility import clinics, hours, network, people, roster, serving, views

app_name = "facility"

AT = "facilities/<int:state_id>/<uuid:facility_id>"
OPD = "opds/<int:state_id>/<uuid:clinic_id>"

urlpatterns = [
    path("facility", views.own, name="own"),
    path(AT, views.board, name="board"),
    path(f"{AT}/rows", views.rows, name="rows"),
    path(f"{AT}/holidays", views.holidays, name="holidays"),
    path(f"{AT}/holidays/<uuid:holiday_id>/remove", views.remove, name="remove-holiday"),
    path(f"{AT}/network", network.network, name="network"),
    path("lines/<int:state_id>/<uuid:line_id>/places", network.places, name="line-places"),
    path(f"{AT}/staff", people.staff_list, name="staff"),
    path(f"{AT}/staff/new", people.appoint_new, name="appoint"),
    path(f"{AT}/staff/known", people.appoint_by_login, name="appoint-known"),
    path(f"{AT}/staff/doctors", people.give, name="give-post"),
    path(f"{AT}/staff/<uuid:post_id>/invite", people.invite, name="invite"),
    path(f"{AT}/staff/<uuid:post_id>/account", people.account, name="account"),
    path(f"{AT}/staff/<uuid:post_id>/end", people.end, name="end-post"),
    path(OPD, clinics.one, name="clinic"),
    path(f"{OPD}/timetable", clinics.timetable, name="timetable"),
    path(f"{OPD}/places", clinics.places, name="places"),
    path(f"{OPD}/rules", clinics.rules, name="rules"),
    path(f"{OPD}/close", clinics.close, name="close"),
    path(f"{OPD}/doctors", serving.doctors, name="doctors"),
    path(f"{OPD}/doctors/add", serving.add, name="add-doctor"),
    path(f"{OPD}/doctors/ask", serving.ask_in, name="ask-on-duty"),
    path(f"{AT}/roster", roster.roster, name="roster"),
    path(f"{AT}/hours", hours.hours, name="hours"),
    path(f"{AT}/hours.csv", hours.hours_csv, name="hours-csv"),
    path(
        "lines/<int:state_id>/<uuid:line_id>/doctors/<int:home_id>/<uuid:practitioner_id>/week",
        roster.week,
        name="week",
    ),
]
