"""What the doctor writes during a consultation: one form, kept with every action.

Notes, chat, diagnoses and prescription are one HTML form, so that no button of it can lose what
was typed beside it. A button says by `do` what else is to be done, as `<action>:<argument>`.
"""

import contextlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any, Self, TypeVar

from django.forms import Form
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from sanjeevani.calls.services import send_message
from sanjeevani.consultation.colleagues import (
    Colleague,
    ask_in,
    colleagues_of,
    take_ask_back,
)
from sanjeevani.consultation.errors import (
    AlreadyAsked,
    ClinicClosed,
    ColleagueAway,
    ConsentMissing,
    NoteChanged,
    NotInProgress,
)
from sanjeevani.consultation.interruptions import interrupt, not_reachable, resume, ring_again
from sanjeevani.consultation.letters import OUTCOMES_WITH_LETTER, LetterContent, letter_of
from sanjeevani.consultation.models import (
    Consultation,
    ConsultationStatus,
    Note,
    NoteTemplate,
    Outcome,
    Urgency,
)
from sanjeevani.consultation.note_templates import (
    TEXTS,
    TemplateContent,
    keep_template,
    templates_of,
)
from sanjeevani.consultation.offers import destinations
from sanjeevani.consultation.queries import writing_of
from sanjeevani.consultation.services import (
    NoteContent,
    Seen,
    confirm_consent,
    hand_back,
    write_note,
)
from sanjeevani.consultation.transfers import (
    hubs_beyond,
    redirect,
    redirect_to_hub,
    return_to_patient,
)
from sanjeevani.directory.models import Practitioner
from sanjeevani.directory.queries import HubChoice, clinic_serving
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, Invalid, NotFound
from sanjeevani.prescription.counter import out_of_stock
from sanjeevani.prescription.errors import MedicineRefused, PaperDiffers, UnsignedDraft
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.queries import DraftLine, draft_of, prescription_in_force
from sanjeevani.prescription.rules import Finding
from sanjeevani.prescription.services import (
    add_item,
    conclude,
    refer_up,
    remove_item,
)
from sanjeevani.prescription.shorthand import ItemContent, parse
from sanjeevani.queueing.errors import AlreadyWaiting
from sanjeevani.queueing.expected_wait import WaitInterval
from sanjeevani.queueing.queries import expected_waits
from sanjeevani.terminology.models import Diagnosis, Medicine
from sanjeevani.terminology.queries import (
    diagnoses_coded,
    medicines_coded,
    search_diagnoses,
    search_medicines,
)
from sanjeevani.web.doctor import words
from sanjeevani.web.doctor.forms import (
    ChatForm,
    DiagnosisForm,
    HandBackForm,
    ItemForm,
    KeepTemplateForm,
    LineForm,
    MedicineForm,
    NoteForm,
    OutcomeForm,
    RedirectForm,
    ReturnForm,
    UseTemplateForm,
    content_of,
    refuse,
    seals_of,
)
from sanjeevani.web.names import hub_names, speciality_names

FOUND = 8
"""How many results of a search stand on the desk."""

REASON = "reason_"
"""The name of a reason's field, before the id of its line."""

REASON_LENGTH = 200

LOOKS = 3
"""So often a save looks again at a note that is written in other windows at the same moment."""


F = TypeVar("F", bound=Form)


def _made(form: type[F]) -> cached_property[F]:
    """Make a form of one line when it is drawn, with what was typed, unless it was sent."""
    return cached_property(lambda writing: form(initial=writing.typed))


class Writing:
    """What is written in a consultation: as stored, or as typed where it could not be stored."""

    def __init__(self, actor: Actor, practitioner: Practitioner, consultation: Consultation):
        self.actor = actor
        self.practitioner = practitioner
        self.consultation = consultation
        self._key: dict[str, Any] = {
            "practitioner": practitioner,
            "state_id": consultation.state_id,
            "consultation_id": consultation.id,
        }
        self._look()
        self.found_diagnoses: list[Diagnosis] | None = None
        self.choices: list[Medicine] = []
        self.found_medicines: list[Medicine] | None = None
        self.item: ItemForm | None = None
        self.chosen: Medicine | None = None
        self.refused: list[Finding] = []
        self.outcome: OutcomeForm | None = None
        self.ending: dict[str, str] = {}
        """What was typed for the end, while something else is done."""
        self.redirect: RedirectForm | None = None
        self.colleagues: list[tuple[str, list[tuple[Colleague, str]]]] | None = None
        """Who may be asked in, by speciality, each with the facility's name."""
        self.not_asked: str | Promise = ""
        """Why nobody could be asked in."""
        self.kept_template = ""
        """The shorthand under which a template was just kept."""
        self.filled: dict[str, str] = {}
        """The inputs of the note that a template, or another window, has changed."""
        self.section = ""
        """The part of the desk that the last action concerns."""
        self.taken: tuple[str, ...] = ()
        """The fields whose text the last action has used up."""
        self.typed: dict[str, str] = {}
        """What else stands in the fields of one line, by their names."""
        self.consent_asked = False
        """The doctor was asked once whether the patient agrees."""
        self.consent_before = ""
        """The action that waits for the answer."""
        self.goes_on = False
        """The next patient is to be called once this consultation has ended."""

    def _look(self) -> None:
        """Read what is written now."""
        self.before = written = writing_of(self.consultation)
        """Note and diagnoses as they were before this request."""
        self.stored: Note | None = written.note
        self.kept = content_of(written.note)
        """The note as it is stored now."""
        self.seen = Seen(written.note.written_at if written.note else None)
        self.diagnoses = {row.code: row.title for row in written.diagnoses}

    # Forms are made when they are drawn or sent: most actions of the page do with one.

    @cached_property
    def note(self) -> NoteForm:
        """The note as stored, or as sent."""
        return NoteForm.of(self.stored)

    @property
    def was(self) -> str:
        """What the page keeps to tell by whether another window has written."""
        return seals_of(self.kept)

    chat = _made(ChatForm)
    diagnosis = _made(DiagnosisForm)
    line = _made(LineForm)
    medicine = _made(MedicineForm)
    missing = _made(ReturnForm)
    hand_back = _made(HandBackForm)
    template = _made(UseTemplateForm)
    shorthand = _made(KeepTemplateForm)

    @property
    def diagnosis_names(self) -> list[str]:
        """The chosen diagnoses with their codes."""
        return [f"{title} ({code})" for code, title in self.diagnoses.items()]

    @cached_property
    def missing_at_spoke(self) -> set[str]:
        """The medicines that the spoke has none of where the patient sits."""
        spoke_id = self.consultation.spoke_id
        return out_of_stock(self.consultation.patient_state_id, spoke_id) if spoke_id else set()

    @cached_property
    def draft(self) -> list[DraftLine]:
        """The lines not signed yet, each with what speaks against it."""
        return draft_of(self.consultation)

    @cached_property
    def signed(self) -> Prescription | None:
        """The signed prescription that holds."""
        return prescription_in_force(self.consultation)

    def read(self) -> Self:
        """Read what a page shows beyond the note, before its template runs."""
        _ = self.draft, self.signed, self.missing_at_spoke
        if self.consultation.is_open:
            _ = self.templates
        return self

    @cached_property
    def done(self) -> OutcomeForm:
        """The form that ends the consultation, with the likely outcome chosen."""
        likely = Outcome.PRESCRIPTION if self.signed else Outcome.ADVICE
        typed = {name: text for name, text in self.ending.items() if text}
        return self.outcome or OutcomeForm(initial={"outcome": likely} | typed)

    @cached_property
    def templates(self) -> list[NoteTemplate]:
        """The doctor's own templates."""
        return templates_of(self.practitioner)

    @property
    def forms(self) -> list[Form]:
        """The forms that may hold errors, those that were made, in the order of the page."""
        return [form for name in FORMS if (form := vars(self).get(name)) is not None]

    @property
    def failed(self) -> bool:
        """Whether something of what was sent could not be kept."""
        return any(form.errors for form in self.forms) or bool(self.refused or self.not_asked)

    @property
    def has_results(self) -> bool:
        """Whether a search has found something to choose from."""
        searched = (
            self.found_diagnoses,
            self.found_medicines,
            self.item,
            self.redirect,
            self.colleagues,
        )
        return any(found is not None for found in searched)

    @property
    def typed_on(self) -> bool:
        """Whether text stands in a field that the last action did not use."""
        return any(self.typed.values()) or self._letter_begun

    @property
    def _letter_begun(self) -> bool:
        return any(self.ending.get(name) for name in ("refer_to", "letter_reason"))

    @property
    def ends_with_signing(self) -> bool:
        """Whether the signed prescription is all that the end needs: nobody is referred."""
        return self.ending.get("outcome") not in OUTCOMES_WITH_LETTER and not self._letter_begun

    def said_already(self, data: QueryDict) -> str:
        """Return what the desk says of an ending that is sent once more; empty for all else.

        The link lost the first answer, or was so slow that the button was pressed again.
        """
        ended, note = self.consultation, NoteForm(data)
        if (
            ended.practitioner_id != self.practitioner.id
            or note.content(self.stored) != self.kept
            or note.errors
        ):
            return ""
        match data.get("do", "").removeprefix("confirm_consent:"):
            case "done" | "done_next":
                return "finished-next" if self.ended_as(OutcomeForm(data)) else ""
            case "redirect" | "refer" as action:
                completed = ended.status == ConsultationStatus.COMPLETED
                referred = completed and ended.outcome == Outcome.REFERRED_UP
                left = ended.status == ConsultationStatus.REDIRECTED
                gone = referred if action == "refer" else left
                return "sent" if gone and _text(data, "redirect_reason") == ended.reason else ""
        return ""

    def ended_as(self, form: OutcomeForm) -> bool:
        """Tell whether the doctor completed the consultation with the very end that is sent."""
        ended = self.consultation
        own = ended.practitioner_id == self.practitioner.id
        completed = own and ended.status == ConsultationStatus.COMPLETED
        if not completed or ended.ended_at is None or not form.is_valid():
            return False
        days, letter = form.cleaned_data["follow_up_days"], form.letter()
        follow_up_on = localdate(ended.ended_at) + timedelta(days) if days else None
        if (form.cleaned_data["outcome"], follow_up_on) != (ended.outcome, ended.follow_up_on):
            return False
        written = letter_of(ended)
        stands = written and LetterContent(
            written.refer_to, Urgency(written.urgency), written.reason
        )
        return letter == stands

    def receive(self, data: QueryDict) -> None:
        """Keep the note, then do what the pressed button says.

        Raises the verbs' errors that no field can show: NotInProgress, NotPermitted, Stale.
        """
        for _again in range(LOOKS):
            # Another window may write at this very moment: what it wrote is looked at first, as if
            # it had come before. Nothing but the note is kept until it is.
            try:
                return self._receive(data)
            except NoteChanged:
                self._look()
        return self._receive(data)

    def _receive(self, data: QueryDict) -> None:
        action, _colon, argument = data.get("do", "save").partition(":")
        self.note = NoteForm(data)
        self.typed = {name: data.get(name, "") for name in LINES}
        self.ending = {name: data.get(name, "") for name in OutcomeForm.base_fields}
        self.filled = self.note.respect(self.stored)
        self._keep(self.note.content(self.stored))
        self._keep_reasons(data)
        meant = _meant(action, data)
        self.consent_asked = "consent_asked" in data
        if meant == "confirm_consent":
            said = confirm_consent(self.actor, **self._key)
            self.consultation.consent_confirmed_at = said.consent_confirmed_at
            self.section = "consent"
            action = meant = argument if argument in ASKS_CONSENT else "save"
        if self.note.errors and meant in PARTING:
            # What could not be kept could never be corrected afterwards.
            if meant in ("redirect", "refer"):
                self._find_opd(data, argument)
            return
        if meant in ASKS_CONSENT and self.consultation.awaits_consent and not self.consent_asked:
            self.consent_asked, self.consent_before = True, meant
            self.section = "consent"
            return
        ACTIONS.get(meant, Writing._save)(self, data, argument)

    def _keep(self, content: NoteContent, diagnoses: Mapping[str, str] | None = None) -> None:
        """Store note and diagnoses unless they already stand so."""
        if diagnoses is None and content == self.kept:
            return
        if diagnoses is not None:
            self.diagnoses = dict(diagnoses)
        self.seen = write_note(
            self.actor,
            **self._key,
            content=content,
            diagnoses=list(self.diagnoses.items()),
            seen=self.seen,
        )
        self.kept = content

    def _keep_reasons(self, data: QueryDict) -> None:
        """Store the reasons typed beside medicines that ask for one."""
        typed = {
            name.removeprefix(REASON): _text(data, name)[:REASON_LENGTH]
            for name in data
            if name.startswith(REASON)
        }
        if not typed:
            return
        for line in self.draft:
            reason = typed.get(str(line.item.id), line.item.override_reason)
            if reason != line.item.override_reason:
                names = ItemContent.__dataclass_fields__
                item = ItemContent(**{name: getattr(line.item, name) for name in names})
                add_item(self.actor, **self._key, item=replace(item, override_reason=reason))
                self.section = "prescription"
        del self.draft

    def _save(self, data: QueryDict, argument: str) -> None:
        """Nothing else: the note is kept already."""

    def _send(self, data: QueryDict, argument: str) -> None:
        self.section = "chat"
        form = ChatForm(data)
        if form.is_valid():
            try:
                send_message(
                    self.actor,
                    state_id=self.consultation.state_id,
                    room_id=self.consultation.room_id,
                    **form.cleaned_data,
                )
            except DomainError as error:
                refuse(form, error)
        if form.errors:
            self.chat = form
        else:
            self._use_up("text")

    def _use_up(self, *names: str) -> None:
        """Empty fields whose text an action has taken."""
        self.taken = names
        for name in names:
            del self.typed[name]

    def _find_diagnosis(self, data: QueryDict, argument: str) -> None:
        self.section = "diagnoses"
        self.diagnosis = DiagnosisForm(data)
        if self.diagnosis.is_valid():
            self.found_diagnoses = search_diagnoses(self.diagnosis.cleaned_data["diagnosis"], FOUND)

    def _add_diagnosis(self, data: QueryDict, argument: str) -> None:
        self.section = "diagnoses"
        coded = diagnoses_coded([argument]).get(argument)
        if coded is not None:
            self._keep(self.note.content(self.stored), self.diagnoses | {coded.code: coded.title})
            self._use_up("diagnosis")

    def _remove_diagnosis(self, data: QueryDict, argument: str) -> None:
        self.section = "diagnoses"
        left = {code: title for code, title in self.diagnoses.items() if code != argument}
        self._keep(self.note.content(self.stored), left)

    def _add_line(self, data: QueryDict, argument: str) -> None:
        self.section = "prescription"
        self.line = LineForm(data)
        if not self.line.is_valid():
            return
        # The argument is the medicine that was chosen among several.
        chosen = medicines_coded([argument]).get(argument)
        reading = parse(self.line.cleaned_data["line"], chosen)
        if reading.item is not None:
            if self._add(reading.item, self.line, "line"):
                del self.line
                self._use_up("line")
            return
        if not reading.unread:  # it would not be read for the chosen one either
            self.choices = (reading.choices or reading.nearest)[:FOUND]
        self.line.add_error("line", words.not_one(reading))

    def _find_medicine(self, data: QueryDict, argument: str) -> None:
        self.section = "prescription"
        self.medicine = MedicineForm(data)
        if self.medicine.is_valid():
            self.found_medicines = search_medicines(self.medicine.cleaned_data["medicine"], FOUND)

    def _choose_medicine(self, data: QueryDict, argument: str) -> None:
        self.section = "prescription"
        self.chosen = medicines_coded([argument]).get(argument)
        if self.chosen is not None:
            self.item = ItemForm(
                initial={
                    "medicine_code": self.chosen.code,
                    "dose": f"{self.chosen.usual_dose:g}" if self.chosen.usual_dose else "",
                    "frequency": self.chosen.usual_frequency,
                    "duration_days": self.chosen.usual_days,
                    "instruction_code": self.chosen.usual_instruction,
                }
            )

    def _add_item(self, data: QueryDict, argument: str) -> None:
        self.section = "prescription"
        form = ItemForm(data)
        if form.is_valid() and self._add(ItemContent(**form.cleaned_data), form, None):
            self._use_up("medicine")
            return
        self.item = form
        code = data.get("medicine_code", "")
        self.chosen = medicines_coded([code]).get(code)

    def _add(self, item: ItemContent, form: Form, field: str | None) -> bool:
        try:
            add_item(self.actor, **self._key, item=item)
        except MedicineRefused as error:
            self.refused = list(error.findings)
            form.add_error(field, _("Not added: see the reason below."))
        except Invalid as error:
            refuse(form, error) if field is None else form.add_error(field, str(error.message))
        return not form.errors

    def _remove_item(self, data: QueryDict, argument: str) -> None:
        self.section = "prescription"
        with contextlib.suppress(ValueError, NotFound):  # pressed twice, or made up
            remove_item(self.actor, **self._key, item_id=uuid.UUID(argument))

    def _sign(self, data: QueryDict, argument: str) -> None:
        self.section = "sign"
        self._refuse_forgotten(data)

    def _refuse_forgotten(self, data: QueryDict) -> None:
        """A line that was typed but not added would be missing on the prescription."""
        if _text(data, "line"):
            self.line = LineForm(data)
            self.line.add_error("line", _("This line is not added yet. Add it, or clear it."))

    def _done(self, data: QueryDict, argument: str) -> None:
        self.section = "done"
        form = OutcomeForm(data)
        self._refuse_forgotten(data)
        if form.is_valid() and not self.line.errors:
            try:
                conclude(self.actor, **self._key, **form.ending())
            except DomainError as error:
                if error.status != Invalid.status:
                    raise
                refuse(form, error)
        self.outcome = form

    def _done_next(self, data: QueryDict, argument: str) -> None:
        self._done(data, argument)
        self.goes_on = True

    # What becomes of the call and of the patient's place in the line.

    def _find_opd(self, data: QueryDict, argument: str) -> None:
        self.section = "redirect"
        initial = {name: data.get(name, "") for name in RedirectForm.base_fields}
        self.redirect = RedirectForm(_choices(self.consultation), initial=initial)

    def _redirect(self, data: QueryDict, argument: str) -> None:
        form = self.redirect = RedirectForm(_choices(self.consultation), data)
        self.section = "redirect"
        if form.is_valid():
            chosen, reason = form.cleaned_data["clinic"], form.cleaned_data["redirect_reason"]
            try:
                self._send_to(chosen, reason)
            except (AlreadyWaiting, ClinicClosed, Invalid) as error:
                refuse(form, error)
            else:
                self.redirect = None
                self.section = "sent"

    def _send_to(self, chosen: str, reason: str) -> None:
        if chosen.startswith(HUB):
            redirect_to_hub(self.actor, **self._key, choice=self._hub(chosen), reason=reason)
            return
        state_id, _dot, clinic_id = chosen.partition(".")
        clinic = clinic_serving(
            self.consultation.patient_state_id,
            clinic_state_id=int(state_id),
            clinic_id=uuid.UUID(clinic_id),
        )
        redirect(self.actor, **self._key, clinic=clinic, reason=reason)

    def _hub(self, chosen: str) -> HubChoice:
        line_id = chosen.removeprefix(HUB)
        return next(one for one in hubs_beyond(self.consultation) if str(one.line.id) == line_id)

    def _refer(self, data: QueryDict, argument: str) -> None:
        form = self.redirect = RedirectForm(_choices(self.consultation), data)
        self.section = "redirect"
        if not form.is_valid():
            return
        chosen = form.cleaned_data["clinic"]
        if not chosen.startswith(HUB):
            form.add_error("clinic", _("Refer to a hub. To an OPD, send the patient on."))
            return
        self._refuse_forgotten(data)
        if self.line.errors:
            return
        reason = form.cleaned_data["redirect_reason"]
        try:
            refer_up(self.actor, **self._key, choice=self._hub(chosen), reason=reason)
        except (
            AlreadyWaiting,
            NotInProgress,
            Invalid,
            UnsignedDraft,
            PaperDiffers,
        ) as error:
            refuse(form, error)
        else:
            self.redirect = None
            self.section = "sent"

    def _find_colleague(self, data: QueryDict, argument: str) -> None:
        self.section = "asking"
        self.colleagues = _by_speciality(colleagues_of(self.consultation))

    def _ask_in(self, data: QueryDict, argument: str) -> None:
        line_id, _dot, colleague_id = argument.partition(".")
        try:
            ask_in(
                self.actor,
                **self._key,
                line_id=uuid.UUID(line_id),
                colleague_id=uuid.UUID(colleague_id),
            )
        except (AlreadyAsked, ColleagueAway, ConsentMissing) as error:
            self.not_asked = error.message
            self._find_colleague(data, "")
        except ValueError:  # made up
            self._find_colleague(data, "")
        self.section = "asking"

    def _take_ask_back(self, data: QueryDict, argument: str) -> None:
        self.section = "asking"
        take_ask_back(self.actor, **self._key)

    def _return(self, data: QueryDict, argument: str) -> None:
        form = self.missing = ReturnForm(data)
        self.section = "actions"
        if form.is_valid():
            return_to_patient(self.actor, **self._key, reason=form.cleaned_data["missing"])
            self.section = "returned"

    def _hand_back(self, data: QueryDict, argument: str) -> None:
        form = self.hand_back = HandBackForm(data)
        self.section = "actions"
        if form.is_valid():
            hand_back(self.actor, **self._key, reason=form.cleaned_data["hand_back_reason"])
            self.section = "handed-back"

    def _ring_again(self, data: QueryDict, argument: str) -> None:
        ring_again(self.actor, **self._key)
        self.section = "call"

    def _interrupt(self, data: QueryDict, argument: str) -> None:
        interrupt(self.actor, **self._call)
        self.section = "call"

    def _resume(self, data: QueryDict, argument: str) -> None:
        resume(self.actor, **self._call)
        self.section = "call"

    def _not_reachable(self, data: QueryDict, argument: str) -> None:
        not_reachable(self.actor, **self._key)
        self.section = "given-up"

    @property
    def _call(self) -> dict[str, Any]:
        return {name: self._key[name] for name in ("state_id", "consultation_id")}

    # Templates.

    def _use_template(self, data: QueryDict, argument: str) -> None:
        self.section = "template"
        form = UseTemplateForm({"template": argument or data.get("template", "")})
        self.template = form
        if not form.is_valid():
            return
        wanted = form.cleaned_data["template"].strip().lower()
        found = [template for template in self.templates if template.shorthand == wanted]
        if not found:
            form.add_error("template", _("You have no template of this name."))
            return
        self._put_in(found[0], form)
        if not form.errors:
            del self.template
            self._use_up("template")

    def _put_in(self, template: NoteTemplate, form: Form) -> None:
        content = self.note.content(self.stored)
        filled: dict[str, Any] = {}
        for name in TEXTS:
            here, added = getattr(content, name), getattr(template, name)
            if added and added not in here:
                filled[name] = f"{here.rstrip()}\n{added}" if here.strip() else added
        for name, text in filled.items():
            longest = NoteForm.base_fields[name].max_length  # type: ignore[attr-defined]
            if len(text) > longest:
                form.add_error("template", _("There is no room for it in the note."))
                return
        coded = diagnoses_coded(template.diagnosis_codes)
        titles = {code: coded[code].title for code in template.diagnosis_codes if code in coded}
        self._keep(replace(content, **filled), self.diagnoses | titles)
        self.filled |= self.note.fill(filled)
        for line in template.lines:
            reading = parse(line)
            if reading.item is None:
                form.add_error("template", _("Not read: %(line)s") % {"line": line})
            else:
                self._add(reading.item, form, "template")

    def _keep_template(self, data: QueryDict, argument: str) -> None:
        self.section = "template"
        form = self.shorthand = KeepTemplateForm(data)
        if not form.is_valid():
            return
        content = self.note.content(self.stored)
        try:
            kept = keep_template(
                self.actor,
                practitioner=self.practitioner,
                content=TemplateContent(
                    shorthand=form.cleaned_data["shorthand"],
                    favourite=True,
                    **{name: getattr(content, name) for name in TEXTS},
                    diagnosis_codes=list(self.diagnoses),
                    lines=[_as_typed(line) for line in self.draft],
                ),
            )
        except DomainError as error:
            refuse(form, error)
        else:
            self.kept_template = kept.shorthand
            del self.shorthand
            self._use_up("shorthand")


HUB = "hub:"
"""What stands before a hub's line where a clinic has its state."""


def _choices(consultation: Consultation) -> list[tuple[str, str]]:
    """Return where the patient can be sent, each with the wait that others have there."""
    return _hub_choices(consultation) + [
        (
            f"{offer.open_clinic.line.state_id}.{offer.open_clinic.clinic.id}",
            f"{words.clinic_name(offer.open_clinic.clinic)}: {words.wait_text(offer.wait)}",
        )
        for offer in destinations(consultation)
    ]


def _hub_choices(consultation: Consultation) -> list[tuple[str, str]]:
    choices = hubs_beyond(consultation)
    names = hub_names({one.line.id: one.line for one in choices})
    waits: dict[uuid.UUID, WaitInterval | None] = {}
    for state_id in sorted({one.line.state_id for one in choices}):
        here = [one.line.id for one in choices if one.line.state_id == state_id]
        waits |= expected_waits(state_id, here)
    return [
        (f"{HUB}{one.line.id}", f"{names[one.line.id]}: {words.wait_text(waits[one.line.id])}")
        for one in choices
    ]


def _by_speciality(
    colleagues: list[Colleague],
) -> list[tuple[str, list[tuple[Colleague, str]]]]:
    names = speciality_names()
    grouped: dict[str, list[tuple[Colleague, str]]] = {}
    for one in colleagues:
        hindi = one.line.facility.name_hi if words.reader_language() == "hi" else ""
        speciality = names.get(one.line.speciality_code, one.line.speciality_code)
        grouped.setdefault(speciality, []).append((one, hindi or one.line.facility.name))
    return list(grouped.items())


def _as_typed(line: DraftLine) -> str:
    """Write a line of the draft as a doctor would type it."""
    item, medicine = line.item, line.medicine
    coded = item.instruction_code.replace("_", " ")
    if item.instructions and item.instruction_code == medicine.usual_instruction:
        coded = ""  # it comes back by itself, beside own words
    how = " ".join(filter(None, [coded, item.instructions]))
    return (
        f"{medicine.generic_name} {medicine.strength.replace(' ', '')} {medicine.form}"
        f" {item.dose.normalize():f}t {item.frequency} {item.duration_days}d {how}"
    ).strip()


def _meant(action: str, data: QueryDict) -> str:
    """Return the action meant. Enter presses a form's first button, wherever the cursor stands."""
    if action != "send" or _text(data, "text"):
        return action
    filled = [meant for field, meant in FIELDS if _text(data, field)]
    return filled[0] if filled else action


def _text(data: QueryDict, name: str) -> str:
    return str(data.get(name, "")).strip()


LINES = (
    "text",
    "diagnosis",
    "line",
    "medicine",
    "missing",
    "hand_back_reason",
    "template",
    "shorthand",
)
"""The fields of one line, each with a button of its own."""

FORMS = (
    "note",
    "chat",
    "diagnosis",
    "line",
    "medicine",
    "missing",
    "hand_back",
    "template",
    "shorthand",
    "item",
    "redirect",
    "outcome",
)

FIELDS = (
    ("line", "add_line"),
    ("diagnosis", "find_diagnosis"),
    ("medicine", "find_medicine"),
    ("template", "use_template"),
    ("missing", "return"),
    ("hand_back_reason", "hand_back"),
    ("redirect_reason", "redirect"),
    ("shorthand", "keep_template"),
)

PARTING = frozenset(
    {"done", "done_next", "redirect", "refer", "return", "hand_back", "not_reachable"}
)
"""After these the patient is with this doctor no more."""

ASKS_CONSENT = frozenset({"sign", "done", "done_next"})
"""Before these the doctor is asked, once, whether the patient of a spoke agrees."""

ACTIONS: dict[str, Callable[[Writing, QueryDict, str], None]] = {
    "send": Writing._send,
    "find_diagnosis": Writing._find_diagnosis,
    "add_diagnosis": Writing._add_diagnosis,
    "remove_diagnosis": Writing._remove_diagnosis,
    "add_line": Writing._add_line,
    "find_medicine": Writing._find_medicine,
    "choose_medicine": Writing._choose_medicine,
    "add_item": Writing._add_item,
    "remove_item": Writing._remove_item,
    "sign": Writing._sign,
    "done": Writing._done,
    "done_next": Writing._done_next,
    "find_opd": Writing._find_opd,
    "redirect": Writing._redirect,
    "refer": Writing._refer,
    "find_colleague": Writing._find_colleague,
    "ask_in": Writing._ask_in,
    "take_ask_back": Writing._take_ask_back,
    "return": Writing._return,
    "hand_back": Writing._hand_back,
    "ring_again": Writing._ring_again,
    "interrupt": Writing._interrupt,
    "resume": Writing._resume,
    "not_reachable": Writing._not_reachable,
    "use_template": Writing._use_template,
    "keep_template": Writing._keep_template,
}
