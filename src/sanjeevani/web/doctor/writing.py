"""What the doctor writes during a consultation: one form, kept with every action.

Notes, chat, diagnoses and prescription are one HTML form, so that no button of it can lose what
was typed beside it. A button says by `do` what else is to be done, as `<action>:<argument>`.
"""

import contextlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

from django.forms import Form
from django.http import QueryDict
from django.utils.translation import gettext as _

from sanjeevani.calls.services import send_message
from sanjeevani.consultation.models import Consultation, Note, Outcome
from sanjeevani.consultation.queries import writing_of
from sanjeevani.consultation.services import NoteContent, write_note
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, Invalid, NotFound
from sanjeevani.prescription.errors import MedicineRefused
from sanjeevani.prescription.models import Prescription
from sanjeevani.prescription.queries import DraftLine, draft_of, newest_prescription
from sanjeevani.prescription.rules import Finding
from sanjeevani.prescription.services import add_item, conclude, remove_item
from sanjeevani.prescription.shorthand import ItemContent, parse
from sanjeevani.terminology.models import Diagnosis, Medicine
from sanjeevani.terminology.queries import (
    diagnoses_coded,
    medicines_coded,
    search_diagnoses,
    search_medicines,
)
from sanjeevani.web.doctor.forms import (
    ChatForm,
    DiagnosisForm,
    ItemForm,
    LineForm,
    MedicineForm,
    NoteForm,
    OutcomeForm,
    refuse,
)

FOUND = 8
"""How many results of a search stand on the desk."""

REASON = "reason_"
"""The name of a reason's field, before the id of its line."""

REASON_LENGTH = 200


class Writing:
    """What is written in a consultation: as stored, or as typed where it could not be stored."""

    def __init__(self, actor: Actor, practitioner: Practitioner, consultation: Consultation):
        self.actor = actor
        self.consultation = consultation
        self._key: dict[str, Any] = {
            "practitioner": practitioner,
            "state_id": consultation.state_id,
            "consultation_id": consultation.id,
        }
        stored = writing_of(consultation)
        self.stored: Note | None = stored.note
        """The note as it was before this request."""
        self.diagnoses = {row.code: row.title for row in stored.diagnoses}
        self.note = NoteForm.of(stored.note)
        self.chat = ChatForm()
        self.diagnosis = DiagnosisForm()
        self.found_diagnoses: list[Diagnosis] | None = None
        self.line = LineForm()
        self.choices: list[Medicine] = []
        self.medicine = MedicineForm()
        self.found_medicines: list[Medicine] | None = None
        self.item: ItemForm | None = None
        self.chosen: Medicine | None = None
        self.refused: list[Finding] = []
        self.outcome: OutcomeForm | None = None
        self.section = ""
        """The part of the desk that the last action concerns."""
        self.taken: tuple[str, ...] = ()
        """The fields whose text the last action has used up."""

    @property
    def diagnosis_names(self) -> list[str]:
        """The chosen diagnoses with their codes."""
        return [f"{title} ({code})" for code, title in self.diagnoses.items()]

    @cached_property
    def draft(self) -> list[DraftLine]:
        """The lines not signed yet, each with what speaks against it."""
        return draft_of(self.consultation)

    @cached_property
    def signed(self) -> Prescription | None:
        """The newest signed prescription."""
        return newest_prescription(self.consultation)

    def read(self) -> Self:
        """Read what a page shows beyond the note, before its template runs."""
        _ = self.draft, self.signed
        return self

    @cached_property
    def done(self) -> OutcomeForm:
        """The form that ends the consultation, with the likely outcome chosen."""
        likely = Outcome.PRESCRIPTION if self.signed else Outcome.ADVICE
        return self.outcome or OutcomeForm(initial={"outcome": likely})

    @property
    def forms(self) -> list[Form]:
        """The forms that may hold errors."""
        every = [self.note, self.chat, self.diagnosis, self.line, self.medicine, self.item]
        return [form for form in [*every, self.outcome] if form is not None]

    @property
    def failed(self) -> bool:
        """Whether something of what was sent could not be kept."""
        return any(form.errors for form in self.forms) or bool(self.refused)

    @property
    def has_results(self) -> bool:
        """Whether a search has found something to choose from."""
        searched = (self.found_diagnoses, self.found_medicines, self.item)
        return any(found is not None for found in searched)

    @property
    def typed_on(self) -> bool:
        """Whether text stands in a field that the last action did not use."""
        return any(form.initial.get(name) for name, form in self._lines().items())

    def _lines(self) -> dict[str, Form]:
        """The fields of one line, each with a button of its own."""
        return {
            "text": self.chat,
            "diagnosis": self.diagnosis,
            "line": self.line,
            "medicine": self.medicine,
        }

    def receive(self, data: QueryDict) -> None:
        """Keep the note, then do what the pressed button says.

        Raises the verbs' errors that no field can show: NotInProgress, NotPermitted, Stale.
        """
        action, _colon, argument = data.get("do", "save").partition(":")
        self.note = NoteForm(data)
        for name, form in self._lines().items():
            form.initial = {name: data.get(name, "")}
        self._keep(self.note.content(self.stored))
        self._keep_reasons(data)
        ACTIONS.get(_meant(action, data), Writing._save)(self, data, argument)

    def _keep(self, content: NoteContent, diagnoses: Mapping[str, str] | None = None) -> None:
        """Store note and diagnoses unless they already stand so."""
        names = NoteContent.__dataclass_fields__
        stored = {name: getattr(self.stored, name) for name in names} if self.stored else {}
        if diagnoses is None and vars(content) == (stored or vars(NoteContent())):
            return
        if diagnoses is not None:
            self.diagnoses = dict(diagnoses)
        write_note(self.actor, **self._key, content=content, diagnoses=list(self.diagnoses.items()))

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
        self.taken = names
        for name in names:
            self._lines()[name].initial = {}

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
                self.line = LineForm()
                self.taken = ("line",)
            return
        self.choices = reading.choices[:FOUND]
        self.line.add_error(
            "line",
            _("Several medicines fit. Choose one, or add the strength or the form.")
            if reading.choices
            else _("We know no medicine of this name. Write its generic name."),
        )

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
                    "dose": f"{self.chosen.usual_dose or 1:g}",
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
                conclude(self.actor, **self._key, outcome=Outcome(form.cleaned_data["outcome"]))
            except DomainError as error:
                if error.status != Invalid.status:
                    raise
                refuse(form, error)
        self.outcome = form


def _meant(action: str, data: QueryDict) -> str:
    """Return the action meant. Enter presses a form's first button, wherever the cursor stands."""
    if action != "send" or _text(data, "text"):
        return action
    filled = [meant for field, meant in FIELDS if _text(data, field)]
    return filled[0] if filled else action


def _text(data: QueryDict, name: str) -> str:
    return str(data.get(name, "")).strip()


FIELDS = (("line", "add_line"), ("diagnosis", "find_diagnosis"), ("medicine", "find_medicine"))

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
}
