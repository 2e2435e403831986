"""What a doctor writes often: kept, brought back by its shorthand, changed and deleted."""

import re
import uuid
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.models import NoteTemplate
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import DomainError, Invalid, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.terminology.queries import diagnoses_coded

MOST_TEMPLATES = 200
MOST_PARTS = 20
"""Diagnoses, or prescription lines, in one template."""

_SHORTHAND = re.compile(r"\w[\w.+-]{0,19}")


class ShorthandTaken(DomainError):
    """Another template of this doctor has it."""

    status = 409
    message = _("You have a template with this shorthand already. Choose another one.")


@dataclass(frozen=True)
class TemplateContent:
    """What a template puts into a note, its diagnoses and its prescription."""

    shorthand: str
    favourite: bool = False
    history: str = ""
    findings: str = ""
    investigations: str = ""
    advice: str = ""
    come_back: str = ""
    diagnosis_codes: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def texts(self) -> dict[str, str]:
        """The texts by the name of the note's field."""
        return {name: getattr(self, name) for name in TEXTS}


TEXTS = ("history", "findings", "investigations", "advice", "come_back")


@verb("consultation.keep_template")
def keep_template(
    actor: Actor,
    *,
    practitioner: Practitioner,
    content: TemplateContent,
    template_id: uuid.UUID | None = None,
) -> NoteTemplate:
    """Keep a new template, or what one of the doctor's own is changed to.

    A shorthand is one word of at most 20 signs, case ignored. Raises Invalid, ShorthandTaken,
    NotFound, NotPermitted.
    """
    _require_own(actor, practitioner)
    shorthand = content.shorthand.strip().lower()
    if not _SHORTHAND.fullmatch(shorthand):
        raise Invalid(
            _("Write one short word of letters and digits, like uri or bp2."), field="shorthand"
        )
    if not (any(text.strip() for text in content.texts.values()) or content.diagnosis_codes) and (
        not content.lines
    ):
        raise Invalid(_("There is nothing to keep yet. Write something first."), field="shorthand")
    for name, text in content.texts.items():
        longest = getattr(NoteTemplate._meta.get_field(name), "max_length", None)
        if longest and len(text) > longest:
            raise Invalid(
                _("Shorten this: %(count)d characters fit here.") % {"count": longest}, field=name
            )
    if len(content.diagnosis_codes) > MOST_PARTS or (
        set(content.diagnosis_codes) - diagnoses_coded(content.diagnosis_codes).keys()
    ):
        raise Invalid(_("Write codes of ICD-10, like J06.9."), field="diagnosis_codes")
    if len(content.lines) > MOST_PARTS or any(len(line) > 200 for line in content.lines):
        raise Invalid(_("These lines are too long or too many."), field="lines")
    values = {**vars(content), "shorthand": shorthand}
    own = NoteTemplate.objects.filter(
        state_id=practitioner.state_id, practitioner_id=practitioner.id
    )
    try:
        with transaction.atomic():
            if template_id is None:
                if own.count() >= MOST_TEMPLATES:
                    raise Invalid(
                        _("You have very many templates. Delete one first."), field="shorthand"
                    )
                template = NoteTemplate.objects.create(
                    state_id=practitioner.state_id,
                    id=uuid7(),
                    practitioner_id=practitioner.id,
                    **values,
                )
            else:
                if not own.filter(id=template_id).update(**values):
                    raise NotFound
                template = own.get(id=template_id)
    except IntegrityError as error:
        if "note_template_once" in str(error):
            raise ShorthandTaken(field="shorthand") from None
        raise
    concerns(template)
    return template


@verb("consultation.delete_template")
def delete_template(actor: Actor, *, practitioner: Practitioner, template_id: uuid.UUID) -> None:
    """Delete one of the doctor's own templates. Raises NotFound, NotPermitted."""
    _require_own(actor, practitioner)
    template = template_of(practitioner, template_id)
    concerns(template)
    NoteTemplate.objects.filter(state_id=template.state_id, id=template.id).delete()


def _require_own(actor: Actor, practitioner: Practitioner) -> None:
    if actor.kind != ActorKind.STAFF or practitioner.account_id != actor.account_id:
        raise NotPermitted


_templates = Compiled(
    lambda: NoteTemplate.objects.filter(
        state_id=given("state_id"), practitioner_id=given("practitioner_id")
    ).order_by("-favourite", "shorthand")
)


def templates_of(practitioner: Practitioner) -> list[NoteTemplate]:
    """Return a practitioner's templates, favourites first, then by shorthand."""
    return _templates.all(state_id=practitioner.state_id, practitioner_id=practitioner.id)


def template_of(practitioner: Practitioner, template_id: uuid.UUID) -> NoteTemplate:
    """Return one of a practitioner's templates. Raises NotFound."""
    found = NoteTemplate.objects.filter(
        state_id=practitioner.state_id, practitioner_id=practitioner.id, id=template_id
    ).first()
    if found is None:
        raise NotFound
    return found
