"""Switching the language, from every page."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.services import set_language
from sanjeevani.web.access import PortalRequest, page_of, public, safe_path
from sanjeevani.web.sign_in.views import set_language_cookie


@public
@require_http_methods(["GET", "POST"])
def choose(request: PortalRequest) -> HttpResponse:
    """Remember a language for this browser and this account, and go back to the page.

    A link will do besides a form: a page need not carry a token for it, and all that a forged one
    could do is undone by a tap.
    """
    given = request.POST if request.method == "POST" else request.GET
    language = given.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise Invalid(field="language")
    session = request.session_info
    if session is not None and session.language != language:
        set_language(request.actor, account_id=session.account_id, language=language)
    back = safe_path(given.get("next")) or (page_of(request) if request.method == "POST" else "/")
    response = HttpResponseRedirect(back, status=303)
    set_language_cookie(response, language)
    return response
