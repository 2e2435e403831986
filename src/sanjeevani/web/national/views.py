"""The states of the nation: which take part, and who administers them."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sanjeevani.directory.models import FacilityKind, Role
from sanjeevani.directory.queries import (
    administrators,
    counts_of,
    offices,
    posts_in_role,
    registered_facility,
    states_named,
)
from sanjeevani.directory.queries import state as state_by_code
from sanjeevani.directory.services import FacilityDetails, open_state
from sanjeevani.directory.staff import appoint as appoint_person
from sanjeevani.directory.staff import appoint_state_admin
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.grievance.queries import waiting_for
from sanjeevani.identity.queries import accounts_by_id
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.pages import (
    Question,
    SearchForm,
    ask,
    errors_beside,
    get_or_post,
    page,
    see,
    sent,
)
from sanjeevani.web.national.forms import AdministratorForm, FirstAdministratorForm
from sanjeevani.web.public.timetable import state_name


@staff(Role.NATIONAL_ADMIN)
@require_safe
def states(request: PortalRequest) -> HttpResponse:
    """All states and the tenant National: open or not, and how many administer each."""
    words = SearchForm.of(request)
    posts = administrators()
    held: dict[int, int] = {}
    for post in posts:
        held[post.state_id] = held.get(post.state_id, 0) + 1
    found = states_named(words)
    context = {
        "place": "states",
        "words": words,
        "national": state_by_code(NATIONAL),
        "open": [state for state in found if state.opened_at],
        "closed": [state for state in found if not state.opened_at],
        "held": held,
        "waiting": waiting_for(request.post, NATIONAL),
    }
    return page(request, "national/states.html", context)


@staff(Role.NATIONAL_ADMIN)
@require_safe
def all_administrators(request: PortalRequest) -> HttpResponse:
    """Who administers what, in the nation and in its states."""
    posts = administrators()
    context = {
        "place": "administrators",
        "posts": posts,
        "states": {state.lgd_code: state for state in states_named("")},
        "accounts": accounts_by_id(post.account_id for post in posts),
    }
    return page(request, "national/administrators.html", context)


@staff(Role.NATIONAL_ADMIN)
@get_or_post
def state(request: PortalRequest, state_id: int) -> HttpResponse:
    """One state: open it, see who administers it."""
    found = state_by_code(state_id)
    if request.method == "POST":
        open_state(request.actor, state_id=state_id)
        return see(reverse("national:state", args=[state_id]), done="opened")
    role = Role.NATIONAL_ADMIN if state_id == NATIONAL else Role.STATE_ADMIN
    posts = posts_in_role(state_id, role)
    context = {
        "place": "states",
        "state": found,
        "counts": counts_of(state_id),
        "posts": posts,
        "accounts": accounts_by_id(held.account_id for held in posts),
    }
    return page(request, "national/state.html", context)


@staff(Role.NATIONAL_ADMIN)
@get_or_post
def appoint(request: PortalRequest, state_id: int) -> HttpResponse:
    """Appoint a state's administrator, the first one with an office that is opened for it."""
    found = state_by_code(state_id)
    own = offices(state_id)
    role = Role.STATE_ADMIN
    if state_id == NATIONAL:
        # The nation is administered from where its present administrators have their posts.
        role = Role.NATIONAL_ADMIN
        own = [registered_facility(NATIONAL, request.post.facility_id)]
    form: FirstAdministratorForm | AdministratorForm
    if own:
        choices = [(str(office.id), office.name) for office in own]
        form = AdministratorForm(
            choices, sent(request), initial={"language": "en", "office_id": choices[0][0]}
        )
    else:
        name = _("Directorate of Health Services, %(state)s") % {"state": found.name}
        form = FirstAdministratorForm(sent(request), initial={"language": "en", "office": name})
    if request.method == "POST" and form.is_valid():
        with errors_beside(form):
            if isinstance(form, FirstAdministratorForm):
                appoint_state_admin(
                    request.actor,
                    state_id=state_id,
                    person=form.person(),
                    office=FacilityDetails(
                        name=form.cleaned_data["office"],
                        kind=FacilityKind.DIRECTORATE,
                        address=form.cleaned_data["address"],
                        district=form.cleaned_data["district"],
                    ),
                )
            else:
                appoint_person(
                    request.actor,
                    state_id=state_id,
                    facility_id=form.office(),
                    role=role,
                    person=form.person(),
                )
            back = reverse("national:state", args=[state_id])
            return see(back, done="appointed")
    question = Question(
        title=_("Appoint an administrator for %(state)s") % {"state": state_name(found)},
        action=_("Appoint and send the link"),
        back=reverse("national:state", args=[state_id]),
    )
    return ask(request, question, form, place="states")
