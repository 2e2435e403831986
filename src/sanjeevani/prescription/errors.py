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


class NotSigned(DomainError):
    """The outcome says prescription, but none was signed."""

    status = 422
    message = _("Sign the prescription first, or choose another outcome.")


class UnsignedDraft(DomainError):
    """Medicines stand in the draft that the signed prescription does not hold."""

    status = 422
    message = _("There are medicines that are not signed yet. Sign them, or remove them.")
