"""Addresses of the door."""

from django.urls import path

from sanjeevani.web.sign_in import views

app_name = "sign-in"
urlpatterns = [
    path("sign-in", views.mobile, name="mobile"),
    path("sign-in/code", views.code, name="code"),
    path("sign-in/code/resend", views.resend, name="resend"),
    path("sign-in/proof", views.proof, name="proof"),
    path("sign-in/anew", views.anew, name="anew"),
    path("staff/sign-in", views.staff, name="staff"),
    path("staff/post", views.post, name="post"),
    path("staff/welcome/<str:token>", views.welcome, name="welcome"),
    path("account", views.account, name="account"),
    path("account/password", views.password, name="password"),
    path("account/devices/<uuid:session_id>/sign-out", views.out_device, name="out-device"),
    path("account/sign-out-everywhere", views.out_everywhere, name="out-everywhere"),
    path("sign-out", views.out, name="out"),
]
