"""The verbs of a grievance."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation import conduct
from sanjeevani.consultation import services as consultations
from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import own_consultation
from sanjeevani.directory.models import Line, Post, Practitioner, State
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.rows import Kept
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.grievance.errors import NumberUnknown, TooLateToReopen
from sanjeevani.grievance.events import GrievanceAnswered, GrievanceReceived
from sanjeevani.grievance.models import (
    Grievance,
    GrievanceKind,
    GrievanceStatus,
    GrievanceStep,
    HandlerTold,
)
from sanjeevani.grievance.numbers import new_number, read_number
from sanjeevani.grievance.permissions import require_handler
from sanjeevani.grievance.states import GRIEVANCE_MOVES

LONGEST = 4000

DUE_DAYS = {
    GrievanceKind.SAFETY: 2,
    GrievanceKind.PRIVACY: 7,
    GrievanceKind.SUGGESTION: 30,
}
USUAL_DUE_DAYS = 15
"""What this service promises by itself, shorter than the 21 days of the Government's own portal."""

REOPENED_DUE_DAYS = 7
REOPEN_DAYS = 30
"""So long an answer can be disputed; then an answered grievance closes by itself."""


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """What somebody has to say. `mobile` in E.164 or empty: without one nobody can be answered."""

    kind: str
    text: str
    language: str
    name: str = ""
    mobile: str = ""


def due_days(kind: str) -> int:
    """Return within how many days a grievance of a kind is answered."""
    return DUE_DAYS.get(GrievanceKind(kind), USUAL_DUE_DAYS)


@verb("grievance.submit")
def submit(
    actor: Actor,
    *,
    complaint: Complaint,
    state_id: int = NATIONAL,
    consultation: tuple[int, uuid.UUID] | None = None,
) -> Grievance:
    """Take in a complaint about a state's service, or a (state_id, id) consultation of the actor's.

    A consultation decides where it goes: to the OPD or hub, and what is about other staff to the
    spoke that asked. Raises Invalid, NotFound for a consultation of others.
    """
    if not complaint.text.strip():
        raise Invalid(_("Write what happened."), field="text")
    if len(complaint.text) > LONGEST:
        raise Invalid(_("Please say it in at most 4,000 characters."), field="text")
    if complaint.kind not in GrievanceKind.values:
        raise Invalid(_("Choose what it is about."), field="kind")
    held = own_consultation(actor, *consultation) if consultation else None
    facility_id = about_account_id = None
    if held is not None and held.spoke_id is not None and complaint.kind == GrievanceKind.STAFF:
        state_id, facility_id = held.patient_state_id, held.spoke_id
        about_account_id = _who_asked(held)
    elif held is not None:
        state_id, facility_id = held.state_id, _facility_of(held)
    elif not State.objects.filter(lgd_code=state_id).exists():
        raise Invalid(_("Choose a state from the list."), field="state")
    return _take_in(actor, complaint, state_id, facility_id, held, about_account_id)


@verb("grievance.report_conduct")
def report_conduct(
    actor: Actor,
    *,
    state_id: int,
    consultation_id: uuid.UUID,
    language: str,
    practitioner: Practitioner | None = None,
    about: uuid.UUID | None = None,
) -> Grievance:
    """Part patient and doctor at one tap, and let whoever answers for safety look into it; once.

    `practitioner`: who reports, where it is the doctor; `about`: whom a patient's page shows.
    Raises NotPermitted, NotInProgress, Stale.
    """
    # A second tap waits here for the first.
    report = conduct.report_conduct(
        actor,
        state_id=state_id,
        consultation_id=consultation_id,
        practitioner=practitioner,
        about=about,
    )
    held = consultations.get(state_id, consultation_id)
    text = (
        _("A doctor reports a patient: consultation %(id)s.") % {"id": held.id}
        if practitioner
        else _("Reported during a consultation by the button “Report and block”.")
    )
    complaint = Complaint(
        kind=GrievanceKind.SAFETY,
        text=str(text),
        language=language,
        name=practitioner.name if practitioner else "",
    )
    earlier = Grievance.objects.filter(
        state_id=state_id,
        consultation_id=consultation_id,
        kind=complaint.kind,
        account_id=_author(actor),
        name=complaint.name,
        # What was written before this report is another complaint.
        received_at__gte=report.reported_at,
    ).first()
    if earlier is None:
        return _take_in(actor, complaint, state_id, _facility_of(held), held)
    concerns(earlier, patient_id=held.patient_id)
    return earlier


def _facility_of(held: Consultation) -> uuid.UUID:
    return Line.objects.values_list("facility_id", flat=True).get(
        state_id=held.state_id, id=held.line_id
    )


def _who_asked(held: Consultation) -> uuid.UUID | None:
    """Return the account of who of the spoke's staff asked."""
    if held.asked_by_post_id is None:
        return None
    posts = Post.objects.filter(state_id=held.patient_state_id, id=held.asked_by_post_id)
    return posts.values_list("account_id", flat=True).first()


def _author(actor: Actor) -> uuid.UUID | None:
    return actor.account_id if actor.kind == ActorKind.PERSON else None


def _take_in(
    actor: Actor,
    complaint: Complaint,
    state_id: int,
    facility_id: uuid.UUID | None,
    held: Consultation | None,
    about_account_id: uuid.UUID | None = None,
) -> Grievance:
    now = clock.now()
    grievance = Grievance.objects.create(
        state_id=state_id,
        id=uuid7(),
        number=new_number(state_id),
        kind=complaint.kind,
        text=complaint.text.strip(),
        facility_id=facility_id,
        # No foreign key crosses states: of a hub in another one the spoke has nothing to see.
        consultation_id=held.id if held and held.state_id == state_id else None,
        about_account_id=about_account_id,
        account_id=_author(actor),
        name=complaint.name[:100],
        mobile=complaint.mobile,
        language=complaint.language,
        received_at=now,
        due_at=now + datetime.timedelta(days=due_days(complaint.kind)),
    )
    _step(grievance, GrievanceStatus.RECEIVED, actor)
    concerns(grievance, patient_id=held.patient_id if held else None)
    publish(GrievanceReceived(state_id=state_id, grievance_id=grievance.id))
    return grievance


@verb("grievance.take_up")
def take_up(actor: Actor, *, state_id: int, grievance_id: uuid.UUID) -> Grievance:
    """An administrator looks into it. Raises NotPermitted, Stale."""
    return _handle(actor, _get(state_id, grievance_id), GrievanceStatus.IN_PROGRESS)


@verb("grievance.answer")
def answer(actor: Actor, *, state_id: int, grievance_id: uuid.UUID, text: str) -> Grievance:
    """An administrator answers; the author is told by SMS. Raises NotPermitted, Stale, Invalid."""
    if not text.strip():
        raise Invalid(_("Write the answer."), field="answer")
    if len(text) > LONGEST:
        raise Invalid(_("Please say it in at most 4,000 characters."), field="answer")
    grievance = _handle(
        actor, _get(state_id, grievance_id), GrievanceStatus.ANSWERED, text=text.strip()
    )
    publish(GrievanceAnswered(state_id=state_id, grievance_id=grievance_id))
    return grievance


@verb("grievance.close")
def close(actor: Actor, *, number: str) -> Grievance:
    """The author is content, or thirty days have passed. Raises NumberUnknown, Stale."""
    return _move(actor, by_number(number), GrievanceStatus.CLOSED)


@verb("grievance.reopen")
def reopen(actor: Actor, *, number: str, reason: str) -> Grievance:
    """The author is not content with the answer: another is due within a week.

    Raises NumberUnknown, Stale, Invalid, TooLateToReopen.
    """
    grievance = by_number(number)
    concerns(grievance)
    if not reason.strip():
        raise Invalid(_("Write what is still wrong."), field="reason")
    if len(reason) > LONGEST:
        raise Invalid(_("Please say it in at most 4,000 characters."), field="reason")
    now = clock.now()
    oldest = now - datetime.timedelta(days=REOPEN_DAYS)
    if grievance.answered_at is not None and grievance.answered_at < oldest:
        raise TooLateToReopen
    return _move(
        actor,
        grievance,
        GrievanceStatus.REOPENED,
        text=reason.strip(),
        due_at=now + datetime.timedelta(days=REOPENED_DUE_DAYS),
    )


_told = Kept(HandlerTold, key=("id",))


@verb("grievance.note_told")
def note_told(actor: Actor, *, account_id: uuid.UUID) -> bool:
    """Note that somebody who answers is told what waits; False when they were told today already.

    Two who ask at once wait for each other here.
    """
    day, now = clock.today(), clock.now()
    told = HandlerTold(id=account_id, day=day, told_at=now)
    concerns(told)
    return _told.add(told) or bool(
        HandlerTold.objects.filter(id=account_id, day__lt=day).update(day=day, told_at=now)
    )


def by_number(number: str) -> Grievance:
    """Return the grievance with a number, for verbs and `queries`. Raises NumberUnknown."""
    read = read_number(number)
    found = Grievance.objects.filter(state_id=read[0], number=read[1]).first() if read else None
    if found is None:
        raise NumberUnknown
    return found


def _get(state_id: int, grievance_id: uuid.UUID) -> Grievance:
    grievance = Grievance.objects.filter(state_id=state_id, id=grievance_id).first()
    if grievance is None:
        raise NotFound
    return grievance


def _handle(actor: Actor, grievance: Grievance, to: GrievanceStatus, text: str = "") -> Grievance:
    require_handler(actor, grievance)
    if actor.kind != ActorKind.STAFF:
        raise NotPermitted
    if to is not GrievanceStatus.ANSWERED:
        return _move(actor, grievance, to, text=text)
    return _move(actor, grievance, to, text=text, answer=text, answered_at=clock.now())


def _move(
    actor: Actor,
    grievance: Grievance,
    to: GrievanceStatus,
    text: str = "",
    **changes: Any,
) -> Grievance:
    concerns(grievance)
    move(
        Grievance,
        GRIEVANCE_MOVES,
        state_id=grievance.state_id,
        id=grievance.id,
        to=to,
        **changes,
    )
    _step(grievance, to, actor, text)
    return _get(grievance.state_id, grievance.id)


def _step(grievance: Grievance, status: GrievanceStatus, actor: Actor, text: str = "") -> None:
    GrievanceStep.objects.create(
        state_id=grievance.state_id,
        id=uuid7(),
        grievance_id=grievance.id,
        status=status,
        at=clock.now(),
        post_id=actor.post_id,
        text=text,
    )
