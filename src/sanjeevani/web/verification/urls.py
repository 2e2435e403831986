"""Addresses of verification; the QR code of every prescription holds the first."""

from django.urls import path

from sanjeevani.web.verification import views

urlpatterns = [path("verify", views.verification, name="verify")]
