"""Addresses of complaints, for their authors and for who answers; the form is `web:grievance`."""

from django.urls import path

from sanjeevani.web.grievance import views

app_name = "grievance"

urlpatterns = [
    path("grievance/<str:number>", views.progress, name="progress"),
    path(
        "consultations/<int:state_id>/<uuid:consultation_id>/grievance", views.about, name="about"
    ),
    path("grievances", views.to_answer, name="list"),
    path("grievances/<int:state_id>/<uuid:grievance_id>", views.one, name="one"),
]
