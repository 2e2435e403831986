"""Addresses of the development inbox."""

from django.urls import path

from sanjeevani.web.inbox import views

app_name = "inbox"
urlpatterns = [
    path("inbox", views.messages, name="list"),
    path("inbox.json", views.messages_json, name="json"),
]
