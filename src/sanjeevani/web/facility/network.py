"""A facility in the network: the hubs that answer it, and as a hub its specialities and doctors."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.closing import close_hub_speciality
from sanjeevani.directory.hubs import add_hub_link, open_hub_speciality, remove_hub_link
from sanjeevani.directory.models import (
    CLINICAL_ROLES,
    Facility,
    HubLink,
    Line,
    LineKind,
    Practitioner,
)
from sanjeevani.directory.permissions import runs_state
from sanjeevani.directory.queries import (
    hub_lines_at,
    hub_links_of,
    hubs_in,
    posts_at,
    practitioner,
    practitioners,
)
from sanjeevani.foundation.errors import NotFound
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import duty_in, serving
from sanjeevani.roster.services import assign, unassign
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.forms import AdministrationForm
from sanjeevani.web.administration.pages import (
    ADMINISTERING,
    DecisionForm,
    errors_beside,
    facility_run_by,
    get_or_post,
    page,
    see,
    sent,
)
from sanjeevani.web.facility.places import ask_places
from sanjeevani.web.facility.roster import line_run_by
from sanjeevani.web.names import place_of, speciality_names


class LinkForm(AdministrationForm):
    """Which hub answers, in what."""

    hub = forms.ChoiceField(label=_("Hub"))
    speciality = forms.ChoiceField(label=_("In which speciality"), required=False)

    def __init__(self, hubs: list[Facility], names: dict[str, str], *args: object) -> None:
        super().__init__(*args)
        self.fields["hub"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose")),
            *((f"{hub.state_id}.{hub.id}", place_of(hub)) for hub in hubs),
        ]
        self.fields["speciality"].choices = [  # type: ignore[attr-defined]
            ("", _("In all that it opens")),
            *names.items(),
        ]


class OpenForm(AdministrationForm):
    """A speciality that a hub opens."""

    opened = forms.ChoiceField(label=_("Speciality"))

    def __init__(self, names: dict[str, str], *args: object) -> None:
        super().__init__(*args)
        self.fields["opened"].choices = [("", _("Choose")), *names.items()]  # type: ignore[attr-defined]


class ServeForm(AdministrationForm):
    """A doctor who serves one of a hub's specialities."""

    line = forms.ChoiceField(label=_("Speciality"))
    doctor = forms.ChoiceField(label=_("Doctor"))

    def __init__(
        self, lines: list[Line], names: dict[str, str], doctors: list[Practitioner], *args: object
    ) -> None:
        super().__init__(*args)
        self.fields["line"].choices = [  # type: ignore[attr-defined]
            (str(line.id), names.get(line.speciality_code, line.speciality_code)) for line in lines
        ]
        self.fields["doctor"].choices = [  # type: ignore[attr-defined]
            ("", _("Choose")),
            *((f"{one.state_id}.{one.id}", one.name) for one in doctors),
        ]


@dataclass(frozen=True)
class Served:
    """A hub's speciality with its doctors and their duty."""

    line: Line
    name: str
    doctors: list[tuple[Practitioner, DutyStatus | None]]


def _served(lines: list[Line], names: dict[str, str]) -> list[Served]:
    if not lines:
        return []
    keys = serving([line.id for line in lines])
    people = practitioners({key for one in keys.values() for key in one})
    duty = duty_in(lines[0].state_id, [line.id for line in lines])
    return [
        Served(
            line,
            names.get(line.speciality_code, line.speciality_code),
            sorted(
                (
                    (people[key], duty[line.id].get(key))
                    for _state, key in keys[line.id]
                    if key in people
                ),
                key=lambda row: row[0].name,
            ),
        )
        for line in lines
    ]


@staff(*ADMINISTERING)
@get_or_post
def network(request: PortalRequest, state_id: int, facility_id: uuid.UUID) -> HttpResponse:
    """Show and change links, specialities and who serves them."""
    found = facility_run_by(request, state_id, facility_id)
    names = speciality_names()
    lines = hub_lines_at(state_id, facility_id)
    links = hub_links_of(state_id, facility_id)
    doctors = list(
        {
            post.practitioner_id: post.practitioner
            for post in posts_at(state_id, facility_id)
            if post.role in CLINICAL_ROLES and post.practitioner.verified_at is not None
        }.values()
    )
    hubs = [hub for hub in hubs_in(state_id) if hub.id != facility_id]
    do, _colon, argument = request.POST.get("do", "").partition(":")
    data = sent(request)
    link_form = LinkForm(hubs, names, data if do == "link" else None)
    open_form = OpenForm(names, data if do == "open" else None)
    serve_form = ServeForm(lines, names, doctors, data if do == "serve" else None)
    decision = DecisionForm(data if argument else None)

    def link() -> None:
        hub_state, _dot, hub_id = link_form.cleaned_data["hub"].partition(".")
        add_hub_link(
            request.actor,
            state_id=state_id,
            spoke_id=facility_id,
            hub_state_id=int(hub_state),
            hub_id=uuid.UUID(hub_id),
            speciality_code=link_form.cleaned_data["speciality"],
        )

    def begin() -> None:
        open_hub_speciality(
            request.actor,
            state_id=state_id,
            facility_id=facility_id,
            speciality_code=open_form.cleaned_data["opened"],
        )

    def serve() -> None:
        home, _dot, key = serve_form.cleaned_data["doctor"].partition(".")
        assign(
            request.actor,
            practitioner=practitioner(int(home), uuid.UUID(key)),
            line=_of(lines, serve_form.cleaned_data["line"]),
        )

    def unlink() -> None:
        remove_hub_link(request.actor, state_id=state_id, link_id=_link_of(links, argument))

    settled: dict[str, int] = {}

    def close() -> None:
        line_id = _of(lines, argument).id
        done = close_hub_speciality(request.actor, state_id=state_id, line_id=line_id)
        settled["moved"], settled["told"] = done.moved, done.told

    def leave() -> None:
        line_id, _slash, who = argument.partition("/")
        person = next((one for one in _people(lines) if f"{one.state_id}.{one.id}" == who), None)
        if person is None:
            raise NotFound
        unassign(request.actor, practitioner=person, line=_of(lines, line_id))

    acts: dict[str, tuple[forms.Form, Callable[[], None], str]] = {
        "link": (link_form, link, "linked"),
        "open": (open_form, begin, "speciality_opened"),
        "serve": (serve_form, serve, "serves"),
        "unlink": (decision, unlink, "unlinked"),
        "close": (decision, close, "speciality_closed"),
        "leave": (decision, leave, "leaves"),
    }
    if do in acts:
        form, act, said = acts[do]
        if form.is_valid():
            with errors_beside(form):
                act()
                here = reverse("facility:network", args=[state_id, facility_id])
                return see(here, done=said, **settled)
    context = {
        "place": "network",
        "facility": found,
        "governs": runs_state(request.post, state_id),
        "links": links,
        "names": names,
        "served": _served(lines, names),
        "link_form": link_form,
        "open_form": open_form,
        "serve_form": serve_form,
        "decision": decision,
        "has_hubs": bool(hubs),
        "has_doctors": bool(doctors),
        "moved": request.GET.get("moved", "")[:6],
        "told": request.GET.get("told", "")[:6],
    }
    said_forms = (link_form, open_form, serve_form, decision)
    return page(request, "facility/network.html", context, *said_forms)


@staff(*ADMINISTERING)
@get_or_post
def places(request: PortalRequest, state_id: int, line_id: uuid.UUID) -> HttpResponse:
    """How many patients of spokes a hub's speciality takes a day, and how many may wait."""
    line, facility = line_run_by(request, state_id, line_id)
    if line.kind != LineKind.HUB:
        raise NotFound
    return ask_places(
        request,
        line,
        name=speciality_names().get(line.speciality_code, line.speciality_code),
        back=reverse("facility:network", args=[state_id, facility.id]),
        place="network",
        facility=facility,
    )


def _people(lines: list[Line]) -> list[Practitioner]:
    keys = serving([line.id for line in lines])
    return list(practitioners({key for one in keys.values() for key in one}).values())


def _of(lines: list[Line], line_id: str) -> Line:
    found = next((line for line in lines if str(line.id) == line_id), None)
    if found is None:
        raise NotFound
    return found


def _link_of(links: list[tuple[HubLink, Facility]], link_id: str) -> uuid.UUID:
    found = next((link for link, _hub in links if str(link.id) == link_id), None)
    if found is None:
        raise NotFound
    return found.id
