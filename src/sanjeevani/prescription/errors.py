"""Facts that prescribing may answer with."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError
from sanjeevani.prescription.rules import Finding


class MedicineRefused(DomainError):
    """A rule without exception speaks against a medicine; `findings` say which."""

    status = 422
    message = _("This medicine cannot be prescribed here.")

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].message, field="medicine")
        self.findings = list(findings)


class ReasonMissing(DomainError):
    """A medicine that asks for a reason has none; `findings` say why."""

    status = 422
    message = _("Write the reason beside the medicine that is marked, or remove it.")

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(field="override_reason")
        self.findings = list(findings)


class NothingPrescribed(DomainError):
    """There is no medicine in the draft."""

    status = 422
    message = _("Add a medicine before you sign.")


class DiagnosisMissing(DomainError):
    """The guidelines ask for a diagnosis or provisional diagnosis on every prescription."""

    status = 422
    message = _("Choose a diagnosis, provisional if need be, before you sign.")


class AlreadyEnded(DomainError):
    """Somebody, or the same doctor elsewhere, has replaced or cancelled it meanwhile."""

    status = 409
    message = _("This prescription was replaced or cancelled already. Please look again.")


class TooLateToReplace(DomainError):
    """The days for corrections are over: what has changed since needs a consultation."""

    status = 409
    message = _(
        "A prescription can be replaced for three days after the consultation."
        " Cancel it if it does harm, and ask the patient to come back for a new one."
    )


class TooLateToCancel(DomainError):
    """The longest course that can be prescribed is over."""

    status = 409
    message = _("This prescription is too old to be cancelled: its last day is long over.")


class NothingChanged(DomainError):
    """The replacement says the same as what it replaces."""

    status = 422
    message = _("Change a medicine first: this says the same as the prescription it replaces.")


class NotSigned(DomainError):
    """The outcome says prescription, but none was signed."""

    status = 422
    message = _("Sign the prescription first, or choose another outcome.")


class UnsignedDraft(DomainError):
    """Medicines stand in the draft that the signed prescription does not hold."""

    status = 422
    message = _("There are medicines that are not signed yet. Sign them, or remove them.")


class ChangedMeanwhile(DomainError):
    """What is to be signed is not what the doctor looked at."""

    status = 409
    message = _("Something was changed after you looked at this. Look again, then sign.")


class PaperDiffers(DomainError):
    """What the patient holds on paper would not be what stands on record. One of its kinds."""

    status = 422


class RemovedButSigned(PaperDiffers):
    """The signed prescription holds medicines that were taken out of the draft since."""

    message = _(
        "You have removed a medicine that stands on the signed prescription."
        " Sign again without it, or cancel the prescription."
    )


class DiagnosisChanged(PaperDiffers):
    """The diagnosis was changed after signing: the patient would hold another one on paper."""

    message = _(
        "You have changed the diagnosis since you signed. Sign again, so that it is printed."
    )


class AdviceChanged(PaperDiffers):
    """Advice, tests or when to come back were changed after signing: the patient would not know."""

    message = _(
        "You have changed the advice, the tests or when to come back since you signed."
        " Sign again, so that it is printed."
    )


class CheckedOtherwise(PaperDiffers):
    """The medicines were checked against other allergies, other medicines or another weight."""

    message = _(
        "You have changed the weight, the allergies or what the patient takes since you signed."
        " Sign again, so that the medicines are checked against it."
    )


PAPER_DIFFERS = (AdviceChanged, CheckedOtherwise, DiagnosisChanged, RemovedButSigned)
"""The kinds, for who documents what a verb refuses."""


class PharmacistHandsOut(DomainError):
    """A pharmacist is signed in at this spoke: nobody else hands out."""

    status = 403
    message = _("At this centre the pharmacist hands out the medicines.")


class NotValid(DomainError):
    """What was to be handed out does not hold, or not any more."""

    status = 409
    message = _("This prescription does not hold. Do not give medicines on it.")


class AlreadyHandedOut(DomainError):
    """Another place has given the patient a medicine in full meanwhile."""

    status = 409
    message = _("The patient has got one of these elsewhere meanwhile. Please look again.")
