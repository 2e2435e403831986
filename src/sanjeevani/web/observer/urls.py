"""Figures for those who watch over the service: roll-ups only, no patients."""

from django.urls import path

from sanjeevani.web.observer import views

app_name = "observer"

urlpatterns = [
    path("figures/state", views.state, name="state"),
    path("figures/nation", views.nation, name="nation"),
]
