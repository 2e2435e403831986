"""The verbs that take a patient to another line, or home, without losing the time waited."""

import datetime
import functools
import uuid
from collections.abc import Collection
from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.errors import (
    ClinicClosed,
    ConsentMissing,
    KeptApart,
    NobodyElse,
    NotFollowUp,
)
from sanjeevani.consultation.events import ConsultationReturned
from sanjeevani.consultation.models import (
    Consultation,
    ConsultationStatus,
    Link,
    Outcome,
)
from sanjeevani.consultation.permissions import require_patient, require_practitioner
from sanjeevani.consultation.queries import FOLLOW_UP_PERIOD
from sanjeevani.consultation.services import (
    Following,
    Subject,
    blocked_for,
    carried_wait,
    conclude,
    end_consultation,
    free_of_practitioner,
    get,
    open_consultation,
    priority_of,
    requested_before,
    require_concludable,
    require_safe_to_wait,
    respect_blocks,
    token_of,
    valid_reason,
)
from sanjeevani.consultation.states import CONSULTATION_MOVES
from sanjeevani.directory.hubs import open_written_line
from sanjeevani.directory.models import Line, LineKind, Practitioner
from sanjeevani.directory.queries import (
    HubChoice,
    OpenClinic,
    clinic_of_line,
    clinics_serving,
    hubs_for,
)
from sanjeevani.directory.services import open_lane
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotPermitted, Stale
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.states import move
from sanjeevani.foundation.verbs import concerns, publish, verb
from sanjeevani.intake import services as intake
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.queries import still_told
from sanjeevani.intake.triage import danger_in
from sanjeevani.patients.companions import identified
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import may_act_for, records_of_person, valid_consent
from sanjeevani.queueing import services as queueing
from sanjeevani.queueing.errors import AlreadyWaiting, LineFull
from sanjeevani.queueing.models import PriorityClass, Token, TokenStatus
from sanjeevani.queueing.queries import waits_in
from sanjeevani.roster.queries import practitioners_on_duty, serves_now
from sanjeevani.roster.services import serve_lane

LANE_PLACES = 15
"""Patients a day in one practitioner's lane; more go to the pool."""

LANE_PATIENCE = datetime.timedelta(minutes=45)
"""After this wait for their own doctor, a follow-up goes to the pool."""


@verb("consultation.redirect")
def redirect(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    clinic: OpenClinic,
    reason: str,
) -> Consultation:
    """Send the patient to another clinic, of whichever state, with the whole waiting time.

    The new consultation carries the intake and points back. Raises NotPermitted, ClinicClosed,
    Stale, Invalid.
    """
    consultation = get(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    if clinic.line.id == consultation.line_id:
        raise Invalid(_("The patient is in this OPD already."), field="clinic")
    reason = valid_reason(reason, _("Say why you send the patient there."), "redirect_reason")
    if not clinic.is_open:
        raise ClinicClosed
    return _send_on(actor, consultation, clinic.line, reason)


@verb("consultation.redirect_to_hub")
def redirect_to_hub(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    choice: HubChoice,
    reason: str,
) -> Consultation:
    """Send a spoke's patient to another speciality or hub, with the whole waiting time.

    Raises NotPermitted, Stale, Invalid, AlreadyWaiting.
    """
    consultation = get(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    _require_hub(consultation, choice)
    reason = valid_reason(reason, _("Say why you send the patient there."), "redirect_reason")
    return _send_on(actor, consultation, _line_at(actor, consultation, choice), reason)


def _line_at(actor: Actor, consultation: Consultation, choice: HubChoice) -> Line:
    """Return the hub's line; of a request in writing, the one in writing: nobody waits there."""
    if consultation.due_at is None:
        return choice.line
    return open_written_line(actor, parent=choice.line)


@verb("consultation.refer_up")
def refer_up(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    choice: HubChoice,
    reason: str,
) -> Consultation:
    """Conclude, and open a linked consultation in the next tier that keeps the place in time.

    The specialist sees what was told and what was written here; the patient stays at the spoke.
    Raises NotInProgress, NotPermitted, Invalid, AlreadyWaiting.
    """
    consultation = get(state_id, consultation_id)
    require_concludable(actor, practitioner, consultation)
    _require_hub(consultation, choice)
    reason = valid_reason(reason, _("Say why you send the patient there."), "redirect_reason")
    held = token_of(consultation)
    conclude(actor, consultation, Outcome.REFERRED_UP, reason=reason)
    line = _line_at(actor, consultation, choice)
    return _go_on(actor, consultation, held, line, Link.REFERRED)


def hubs_beyond(consultation: Consultation) -> list[HubChoice]:
    """Return where a spoke's patient can go on: to the spoke's other hubs and specialities, and to
    the hubs of the hub that holds the consultation, the next tier."""
    if consultation.spoke_id is None:
        return []
    here = Line.objects.get(state_id=consultation.state_id, id=consultation.line_id)
    found = [
        *hubs_for(consultation.patient_state_id, consultation.spoke_id),
        *hubs_for(here.state_id, here.facility_id),
    ]
    own = here.parent_id or here.id
    return list({one.line.id: one for one in found if one.line.id != own}.values())


def _require_hub(consultation: Consultation, choice: HubChoice) -> None:
    if choice.line.id not in {one.line.id for one in hubs_beyond(consultation)}:
        raise NotPermitted


def _send_on(actor: Actor, consultation: Consultation, line: Line, reason: str) -> Consultation:
    """Let the doctor who has called the patient send them on; not whom a lost line took away."""
    if consultation.status == ConsultationStatus.INTERRUPTED:
        raise Stale
    return _move(actor, consultation, line, waiting=False, reason=reason)


def _move(
    actor: Actor, consultation: Consultation, line: Line, *, waiting: bool, reason: str = ""
) -> Consultation:
    left = queueing.leave_for_another_line(
        actor, state_id=consultation.state_id, token_id=consultation.token_id, waiting=waiting
    )
    end_consultation(actor, consultation, ConsultationStatus.REDIRECTED, reason=reason)
    opened = _go_on(actor, consultation, left, line, Link.REDIRECTED)
    if waiting and left.not_for:
        # Nobody chose the new line: who handed the patient back may serve there as well.
        queueing.keep_from(
            actor,
            state_id=opened.state_id,
            token_ids=[opened.token_id],
            practitioner_ids=left.not_for,
        )
        concerns(opened, patient_id=opened.patient_id)
    return opened


def _go_on(
    actor: Actor, consultation: Consultation, left: Token, line: Line, link: Link
) -> Consultation:
    """Open the consultation that goes on from one that has ended, in another line."""
    token = _reissue(actor, left, line, consultation_id=uuid7())
    opened = open_consultation(
        actor,
        token=token,
        subject=Subject.of_consultation(consultation),
        request_key=uuid7(),
        following=Following(consultation.state_id, consultation.id, link),
    )
    intake.copy(
        actor,
        source=(consultation.state_id, consultation.id),
        target=(opened.state_id, opened.id),
        patient_state_id=opened.patient_state_id,
        patient_id=opened.patient_id,
    )
    if consultation.due_at is not None:
        be_due(opened, consultation.due_at)
    concerns(opened, patient_id=opened.patient_id)
    return opened


def be_due(opened: Consultation, due_at: datetime.datetime) -> None:
    """Set when a written request is to be answered: part of the verbs that open one."""
    opened.due_at = due_at
    Consultation.objects.filter(state_id=opened.state_id, id=opened.id).update(due_at=due_at)


def _reissue(
    actor: Actor,
    left: Token,
    line: Line,
    *,
    consultation_id: uuid.UUID,
    priority_class: PriorityClass | None = None,
    away: datetime.timedelta = datetime.timedelta(),
) -> Token:
    """Issue a token that keeps the waiting time and takes no place of the day.

    In the same line on the same day the place of the one left goes with it. `away`: for so long
    the line waited for the patient, which is not the patient's waiting.
    """
    return queueing.issue_token(
        actor,
        state_id=line.state_id,
        line_id=line.id,
        places=line.places_per_day,
        waiting_places=line.waiting_places,
        subject_id=left.subject_id,
        consultation_id=consultation_id,
        language=left.language,
        gender_preference=left.gender_preference,
        priority_class=PriorityClass(left.priority_class)
        if priority_class is None
        else priority_class,
        waiting_since=left.waiting_since + away,
        takes_place=False,
        holds_place=left.holds_place and (left.line_id, left.day) == (line.id, clock.today()),
    )


@verb("consultation.return_to_patient")
def return_to_patient(
    actor: Actor,
    *,
    practitioner: Practitioner,
    state_id: int,
    consultation_id: uuid.UUID,
    reason: str,
) -> None:
    """Send a request back for more information before the call is answered.

    The patient sees the reason, adds what is missing and asks again; what was waited until now is
    kept.
    """
    consultation = get(state_id, consultation_id)
    require_practitioner(actor, practitioner, consultation)
    reason = valid_reason(reason, _("Say what is missing."), "missing")
    queueing.hand_back(
        actor,
        state_id=state_id,
        token_id=consultation.token_id,
        practitioner_id=practitioner.id,
    )
    queueing.cancel(actor, state_id=state_id, token_id=consultation.token_id, keeps_place=True)
    free_of_practitioner(actor, consultation)
    move(
        Consultation,
        CONSULTATION_MOVES,
        state_id=state_id,
        id=consultation_id,
        to=ConsultationStatus.RETURNED,
        reason=reason,
    )
    concerns(consultation, patient_id=consultation.patient_id)
    publish(ConsultationReturned(state_id=state_id, consultation_id=consultation_id))


@verb("consultation.ask_again")
def ask_again(
    actor: Actor,
    *,
    patient: Patient,
    state_id: int,
    consultation_id: uuid.UUID,
    content: IntakeContent,
) -> Consultation:
    """Answer a returned request: a new token of the same line with the time waited before.

    How long the patient took to answer counts for nothing: who comes back in the evening does not
    stand before all who have waited since. Raises ConsentMissing, Stale, Invalid; ClinicClosed: the
    request stays returned, to be answered when the clinic is open; DangerSigns at home, when a new
    answer is one; DangerUnanswered there, when the answers are more than a day old.
    """
    consultation = get(state_id, consultation_id)
    require_patient(actor, consultation)
    if consultation.status != ConsultationStatus.RETURNED:
        raise Stale
    if valid_consent(patient) is None:
        raise ConsentMissing
    # What only a spoke's pages ask for stays as it was told and measured, for a day.
    told = still_told(state_id, consultation_id)
    content = replace(content, companion=told.companion, vitals=content.vitals or told.vitals)
    # At a spoke staff sit beside the patient, and were asked about an emergency.
    if consultation.spoke_id is None:
        require_safe_to_wait(patient, content)
    urgent = bool(danger_in(content, birth_date=patient.birth_date, gender=patient.gender))
    line = Line.objects.get(state_id=state_id, id=consultation.line_id)
    clinic = clinic_of_line(state_id, line.parent_id or line.id)
    if clinic is not None and not clinic.is_open:
        raise ClinicClosed
    left = token_of(consultation)
    # Who says only now that she is pregnant goes first from now on; nobody falls back.
    now = PriorityClass.EMERGENCY if urgent else priority_of(patient, content)
    first = min(PriorityClass(left.priority_class), now)
    assert left.ended_at is not None
    away = clock.now() - left.ended_at
    token = _reissue(
        actor, left, line, consultation_id=consultation_id, priority_class=first, away=away
    )
    move(
        Consultation,
        CONSULTATION_MOVES,
        state_id=state_id,
        id=consultation_id,
        to=ConsultationStatus.REQUESTED,
        token_id=token.id,
    )
    intake.freeze(
        actor,
        state_id=state_id,
        consultation_id=consultation_id,
        patient=patient,
        content=content,
    )
    asked = get(state_id, consultation_id)
    respect_blocks(actor, asked)
    concerns(asked, patient_id=patient.id)
    return asked


def own_lane(
    actor: Actor, line: Line, practitioner_id: uuid.UUID, practitioner_state_id: int
) -> Line:
    """Return a practitioner's own lane in a line, served by them: part of the verbs that ask."""
    lane = open_lane(actor, parent=line, practitioner_id=practitioner_id, places=LANE_PLACES)
    serve_lane(
        actor,
        practitioner_id=practitioner_id,
        practitioner_state_id=practitioner_state_id,
        lane=lane,
    )
    return lane


@verb("consultation.request_follow_up")
def request_follow_up(
    actor: Actor,
    *,
    patient: Patient,
    clinic: OpenClinic,
    earlier: Consultation,
    content: IntakeContent,
    language: str,
    request_key: uuid.UUID,
    companion_id: uuid.UUID | None = None,
) -> Consultation:
    """Ask the same practitioner again, in their own lane of the same clinic.

    When they are not on duty or their lane is full, the token is one of the clinic's. The same
    `request_key` again returns the first consultation. Raises NotFollowUp, KeptApart,
    DangerSigns, DangerUnanswered, ClinicClosed, ConsentMissing, CompanionMissing, LineFull,
    AlreadyWaiting.
    """
    if not may_act_for(actor, patient) or earlier.patient_id not in records_of_person(
        patient.state_id, patient.id
    ):
        raise NotPermitted
    oldest = clock.now() - FOLLOW_UP_PERIOD
    if (
        earlier.status != ConsultationStatus.COMPLETED
        or earlier.practitioner_id is None
        or earlier.practitioner_state_id is None
        or earlier.ended_at is None
        or earlier.ended_at < oldest
    ):
        raise NotFollowUp
    if earlier.practitioner_id in blocked_for(patient.state_id, patient.account_id):
        raise KeptApart
    if not clinic.is_open:
        raise ClinicClosed
    consent = valid_consent(patient)
    if consent is None:
        raise ConsentMissing
    line = clinic.line
    asked_before = requested_before(patient, line.state_id, request_key)
    if asked_before is not None:
        return asked_before
    require_safe_to_wait(patient, content)
    content = replace(content, companion=identified(patient, companion_id))
    practitioner_id = earlier.practitioner_id
    consultation_id = uuid7()
    asked = functools.partial(
        queueing.issue_if_place,
        actor,
        subject_id=patient.id,
        consultation_id=consultation_id,
        language=language,
        priority_class=priority_of(patient, content),
    )
    lines = [line]
    if serves_now(practitioner_id, line.state_id, line.id):
        lane = own_lane(actor, line, practitioner_id, earlier.practitioner_state_id)
        lines.insert(0, lane)
    for tried in lines:
        waits: AlreadyWaiting | None = None
        try:
            # The own lane is left after LANE_PATIENCE: the wait of another day would end it now.
            since = carried_wait(patient, line) if tried.id == line.id else None
            token = asked(line=tried, waiting_since=since)
        except AlreadyWaiting as error:
            token, waits = None, error
        if token is not None:
            break
        # Sent twice at the same moment: the first one, by now committed, has the place.
        asked_before = requested_before(patient, line.state_id, request_key)
        if asked_before is not None:
            return asked_before
        # Who waits for the doctor already takes no place of the clinic's besides.
        if waits is not None:
            raise waits
    else:
        raise LineFull
    opened = open_consultation(
        actor,
        token=token,
        subject=Subject.of_patient(patient, actor, language=language, consent=consent),
        request_key=request_key,
        following=Following(earlier.state_id, earlier.id, Link.FOLLOW_UP, practitioner_id),
    )
    intake.freeze(
        actor,
        state_id=opened.state_id,
        consultation_id=opened.id,
        patient=patient,
        content=content,
    )
    concerns(opened, patient_id=patient.id)
    return opened


@verb("consultation.to_pool")
def to_pool(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> Token:
    """Move a follow-up from its doctor's lane to the clinic's line, with the waiting time.

    Raises Stale when the doctor has called the patient meanwhile.
    """
    left = queueing.leave_for_another_line(
        actor, state_id=state_id, token_id=token_id, waiting=True
    )
    lane = Line.objects.select_related("parent").get(state_id=state_id, id=left.line_id)
    if lane.kind != LineKind.FOLLOW_UP:
        raise Stale
    token = _reissue(actor, left, lane.parent, consultation_id=left.consultation_id)
    Consultation.objects.filter(state_id=state_id, id=left.consultation_id).update(
        token_id=token.id, line_id=token.line_id
    )
    queueing.keep_from(
        actor, state_id=state_id, token_ids=[token.id], practitioner_ids=left.not_for
    )
    concerns(token, patient_id=token.subject_id)
    return token


@verb("consultation.send_home")
def send_home(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> None:
    """The clinic closes before the patient's turn: the next request to it goes first."""
    token = queueing.close_for_today(actor, state_id=state_id, token_id=token_id)
    consultation = get(state_id, token.consultation_id)
    end_consultation(actor, consultation, ConsultationStatus.ABANDONED, carries_wait=True)


@verb("consultation.move_on")
def move_on(actor: Actor, *, state_id: int, token_id: uuid.UUID) -> Consultation:
    """The last doctor has left, or none of them is to have this patient: take a waiting patient to
    a clinic of the same kind with one.

    The patient may ask for it too. Raises NobodyElse where there is none, who then keeps waiting,
    and Stale when somebody has called the patient meanwhile.
    """
    token = Token.objects.get(state_id=state_id, id=token_id)
    consultation = get(state_id, token.consultation_id)
    if actor.kind != ActorKind.SYSTEM:
        require_patient(actor, consultation)
    concerns(consultation, patient_id=consultation.patient_id)
    if token.status != TokenStatus.WAITING:
        raise Stale
    line = Line.objects.get(state_id=state_id, id=token.line_id)
    if line.kind == LineKind.WRITTEN:
        other = _hub_for_written(consultation, line)
        target = open_written_line(actor, parent=other.line) if other else None
    else:
        home = consultation.patient_state_id
        found = _hub_with_doctor(consultation, line, token.not_for) or refuge(
            home, line, token.not_for
        )
        target = found.line if found else None
    # Who waits there already, too, keeps both places.
    if target is None or waits_in(target.state_id, target.id, token.subject_id):
        raise NobodyElse
    return _move(actor, consultation, target, waiting=True)


def _hub_for_written(consultation: Consultation, line: Line) -> HubChoice | None:
    """Return where else the patient's spoke may ask: nobody need be on duty for an answer later."""
    if consultation.spoke_id is None:
        return None
    for choice in hubs_for(
        consultation.patient_state_id, consultation.spoke_id, line.speciality_code
    ):
        if choice.line.id != line.parent_id:
            return choice
    return None


def _hub_with_doctor(
    consultation: Consultation, line: Line, not_for: Collection[uuid.UUID]
) -> HubChoice | None:
    """Return where else the patient's spoke may ask, with a doctor there for the patient."""
    if line.kind != LineKind.HUB or consultation.spoke_id is None:
        return None
    for choice in hubs_for(
        consultation.patient_state_id, consultation.spoke_id, line.speciality_code
    ):
        if choice.line.id != line.id and _has_doctor(choice.line, not_for):
            return choice
    return None


def _has_doctor(line: Line, not_for: Collection[uuid.UUID]) -> bool:
    """Tell whether a line has a doctor on duty beside those who are not to have a patient."""
    on_duty = practitioners_on_duty(line.state_id, [line.id])[line.id]
    return any(each not in not_for for each in on_duty)


def alternatives(patient_state_id: int, line: Line) -> list[OpenClinic]:
    """Return the other open clinics of the same speciality that serve the patient's state."""
    return [
        clinic
        for clinic in clinics_serving(patient_state_id)
        if clinic.is_open
        and clinic.line.id != line.id
        and clinic.clinic.speciality_code == line.speciality_code
    ]


def refuge(
    patient_state_id: int, line: Line, not_for: Collection[uuid.UUID] = ()
) -> OpenClinic | None:
    """Return the clinic that takes those who wait in a line that nobody serves any more.

    `not_for`: the doctors who are not to have the patient.
    """
    others = alternatives(patient_state_id, line)
    on_duty: dict[uuid.UUID, list[uuid.UUID]] = {}
    # One statement a state: everybody who waits in vain is looked at three times a minute.
    for state_id in sorted({one.line.state_id for one in others}):
        here = [one.line.id for one in others if one.line.state_id == state_id]
        on_duty |= practitioners_on_duty(state_id, here)
    return next((one for one in others if set(on_duty[one.line.id]).difference(not_for)), None)
