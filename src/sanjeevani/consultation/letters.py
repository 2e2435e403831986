"""The letter that a patient takes along to be seen in person."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from sanjeevani.consultation.models import Consultation, Outcome, ReferralLetter, Urgency
from sanjeevani.consultation.permissions import require_practitioner
from sanjeevani.directory.models import Practitioner
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.foundation.errors import Invalid
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.verbs import concerns, verb

OUTCOMES_WITH_LETTER = frozenset({Outcome.IN_PERSON, Outcome.EMERGENCY, Outcome.REFERRED_UP})


@dataclass(frozen=True)
class LetterContent:
    """Where to, how soon, and why."""

    refer_to: str
    urgency: Urgency
    reason: str


@verb("consultation.write_letter")
def write_letter(
    actor: Actor,
    *,
    practitioner: Practitioner,
    consultation: Consultation,
    content: LetterContent | None,
) -> ReferralLetter:
    """Write the one letter of a consultation. Raises Invalid where something is missing."""
    require_practitioner(actor, practitioner, consultation)
    given = content or LetterContent("", Urgency.ROUTINE, "")
    if not given.refer_to.strip():
        raise Invalid(_("Write where the patient should go."), field="refer_to")
    if not given.reason.strip():
        raise Invalid(_("Write why the patient should go there."), field="letter_reason")
    for name, text, longest in (
        ("refer_to", given.refer_to, 200),
        ("letter_reason", given.reason, 1000),
    ):
        if len(text) > longest:
            raise Invalid(
                _("Shorten this: %(count)d characters fit here.") % {"count": longest}, field=name
            )
    letter = ReferralLetter.objects.create(
        state_id=consultation.state_id,
        id=uuid7(),
        consultation_id=consultation.id,
        refer_to=given.refer_to.strip(),
        urgency=given.urgency,
        reason=given.reason.strip(),
        practitioner_address=practitioner.address,
        practitioner_contact=practitioner.contact,
        written_at=clock.now(),
    )
    concerns(letter, patient_id=consultation.patient_id)
    return letter


_letter = Compiled(
    lambda: ReferralLetter.objects.filter(
        state_id=given("state_id"), consultation_id=given("consultation_id")
    )
)


def letter_of(consultation: Consultation) -> ReferralLetter | None:
    """Return the letter; the caller has read the consultation through a query."""
    return _letter.first(state_id=consultation.state_id, consultation_id=consultation.id)
