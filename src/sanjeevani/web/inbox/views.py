"""The development inbox: what would have gone out by SMS. Served in development only."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.identity.mobiles import parse_mobile
from sanjeevani.messaging.queries import inbox
from sanjeevani.web.access import PortalRequest, public
from sanjeevani.web.fields import PlainForm
from sanjeevani.web.sign_in.forms import MobileField


class FilterForm(PlainForm):
    """Whose messages to show."""

    mobile = MobileField(label=_("Mobile number"), required=False)


def _in_development(
    view: Callable[[PortalRequest], HttpResponse],
) -> Callable[[PortalRequest], HttpResponse]:
    @wraps(view)
    def guarded(request: PortalRequest) -> HttpResponse:
        if not settings.DEVELOPMENT_INBOX:
            raise NotFound
        return view(request)

    return guarded


@public
@require_safe
@_in_development
def messages(request: PortalRequest) -> HttpResponse:
    """Show what was received, newest first; `?mobile=` narrows it."""
    form = FilterForm(request.GET)
    valid = form.is_valid()
    found = inbox(form.cleaned_data["mobile"] or None) if valid else []
    context = {"form": form, "messages": found}
    return render(request, "inbox/list.html", context, status=200 if valid else 422)


@public
@require_safe
@_in_development
def messages_json(request: PortalRequest) -> HttpResponse:
    """Return the same as JSON: a list of `{mobile, text, purpose, received_at}`."""
    mobile = request.GET.get("mobile")
    try:
        found = inbox(parse_mobile(mobile) if mobile else None)
    except Invalid as error:
        return JsonResponse({"error": str(error.message)}, status=error.status)
    return JsonResponse(
        {
            "messages": [
                {
                    "mobile": message.mobile,
                    "text": message.text,
                    "purpose": message.purpose,
                    "received_at": message.received_at,
                }
                for message in found
            ]
        }
    )
