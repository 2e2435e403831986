"""How many patients a line takes: an OPD's, or a hub's speciality's."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sanjeevani.directory.models import Line
from sanjeevani.foundation import clock
from sanjeevani.queueing.places import set_places
from sanjeevani.queueing.queries import places_taken
from sanjeevani.web.access import PortalRequest
from sanjeevani.web.administration.forms import PlacesForm
from sanjeevani.web.administration.pages import Question, ask, errors_beside, see, sent


def ask_places(
    request: PortalRequest, line: Line, *, name: str, back: str, **context: Any
) -> HttpResponse:
    """Ask for the places of a line, with how many are taken today, and set them."""
    initial = {"places_per_day": line.places_per_day, "waiting_places": line.waiting_places}
    form = PlacesForm(sent(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            set_places(request.actor, state_id=line.state_id, line_id=line.id, **form.cleaned_data)
            return see(back, done="places")
    taken = places_taken(line.state_id, [line.id], clock.today())[line.id]
    question = Question(
        title=_("Places of %(name)s") % {"name": name},
        lead=ngettext(
            "%(count)d place of today is taken. It holds from now on.",
            "%(count)d places of today are taken. It holds from now on.",
            taken,
        )
        % {"count": taken},
        action=_("Save"),
        back=back,
    )
    return ask(request, question, form, **context)
