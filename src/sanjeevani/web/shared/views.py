"""A prescription behind a link. Each page asks again: nothing of the visitor is remembered."""

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from sanjeevani.documents.errors import LinkAnswerWrong, LinkDead
from sanjeevani.documents.links import LinkedRecord, linked, open_link
from sanjeevani.prescription.documents import render_pdf
from sanjeevani.prescription.queries import ending_of, newest_after, prescription_of
from sanjeevani.web.access import PortalRequest, public
from sanjeevani.web.fields import PlainForm
from sanjeevani.web.patient.day_plan import day_plan


class BirthYearForm(PlainForm):
    """What the one who sent the link has told: four digits."""

    answer = forms.RegexField(
        r"^(19|20)[0-9]{2}$",
        label=_("In which year was the patient born?"),
        help_text=_("Four digits, for example 1984. Whoever sent you the link knows it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        error_messages={
            "required": _("Write the year of birth."),
            "invalid": _("Write the year in 4 digits, like 1984"),
        },
    )


@public
@never_cache
@require_http_methods(["GET", "POST"])
def shared(request: PortalRequest, token: str) -> HttpResponse:
    """Ask for the year of birth; show the prescription, or give its PDF, to who knows it."""
    response = _answer(request, token)
    # Neither a search engine nor the next site may learn the address, which is half the key.
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _answer(request: PortalRequest, token: str) -> HttpResponse:
    try:
        linked(token)
        form = BirthYearForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            year = form.cleaned_data["answer"]
            try:
                record = open_link(
                    request.actor, token=token, is_right=lambda record: _born_in(record, year)
                )
            except LinkAnswerWrong as wrong:
                if not wrong.tries_left:
                    raise LinkDead from None
                form.add_error("answer", str(wrong.message))
            else:
                return _show(request, record, year)
    except LinkDead as dead:
        return render(request, "shared/dead.html", {"dead": dead}, status=dead.status)
    return render(request, "shared/ask.html", {"form": form}, status=422 if form.errors else 200)


def _born_in(record: LinkedRecord, year: str) -> bool:
    content = prescription_of(record.state_id, record.record_id).content
    return bool(content["patient"]["birth_date"][:4] == year)


def _show(request: PortalRequest, record: LinkedRecord, year: str) -> HttpResponse:
    """Show what holds now, if the prescription was replaced since the link was made."""
    first = prescription_of(record.state_id, record.record_id)
    prescription = newest_after(first)
    language = get_language() or "en"
    if "pdf" in request.POST:
        return HttpResponse(
            render_pdf(prescription, language),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="{prescription.number}.pdf"'},
        )
    ending = ending_of(prescription)
    context = {
        "prescription": prescription,
        "content": prescription.content,
        "ending": ending,
        "replaced": first.number if first.id != prescription.id else "",
        "plan": None if ending else day_plan(prescription, language),
        "year": year,
        "expires_at": record.expires_at,
    }
    return render(request, "shared/prescription.html", context)
