"""All screens. Every workplace has its own list; the names here are `web:<name>`."""

from django.urls import include, path

from sanjeevani.web.language import choose

urlpatterns = [
    path("", include(([path("language", choose, name="language")], "web"))),
    path("", include("sanjeevani.web.sign_in.urls")),
    path("", include("sanjeevani.web.inbox.urls")),
]
