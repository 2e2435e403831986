"""Pages that need no sign-in."""

from django.urls import path

from sanjeevani.web.public import views

app_name = "public"

urlpatterns = [
    path("", views.landing, name="landing"),
    path("emergency", views.emergency, name="emergency"),
]
