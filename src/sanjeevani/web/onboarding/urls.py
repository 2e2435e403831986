"""Addresses of imports, for administrators of states and of the nation."""

from django.urls import path

from sanjeevani.web.onboarding import views

app_name = "onboarding"

urlpatterns = [
    path("imports", views.imports, name="list"),
    path("imports/<int:state_id>/<uuid:import_id>", views.one, name="one"),
    path("imports/<int:state_id>/<uuid:import_id>/findings.csv", views.findings, name="findings"),
    path("imports/<str:kind>.csv", views.empty_table, name="empty"),
]
