"""The national administrator's workplace."""

from django.urls import path

from sanjeevani.web.national import views

app_name = "national"

urlpatterns = [
    path("nation", views.states, name="states"),
    path("nation/administrators", views.all_administrators, name="administrators"),
    path("nation/states/<int:state_id>", views.state, name="state"),
    path("nation/states/<int:state_id>/administrators/new", views.appoint, name="appoint"),
]
