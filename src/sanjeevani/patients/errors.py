"""Facts that the registry may answer with."""

import uuid
from typing import Any

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError, NotFound
from sanjeevani.patients.models import Patient


class AlreadyRegistered(DomainError):
    """Somebody very like this one is registered under the same account."""

    status = 409
    message = _("Somebody with this name and age is registered already.")

    def __init__(self, alike: Patient) -> None:
        super().__init__(field="name")
        self.alike = alike

    @property
    def details(self) -> dict[str, Any]:
        """Whom the account has registered before."""
        return {"patient_id": str(self.alike.id)}


class InstitutionExists(DomainError):
    """An account belongs to one institution."""

    status = 409
    message = _("An institution is registered under this mobile number already.")


class NoticeChanged(DomainError):
    """What was agreed to are not the words of today: nobody has agreed to those."""

    status = 409
    message = _("The words have changed since this page was opened. Please read them again.")


class WithdrawnSince(DomainError):
    """Consent was withdrawn after it was obtained and before that arrived: the last word holds."""

    status = 409
    message = _("The consent was withdrawn after this was entered. Ask the patient again.")


class CompanionMissing(DomainError):
    """A minor, or an adult who cannot decide alone, is seen together with an identified adult."""

    status = 409
    message = _("An adult has to be with the patient. Say who it is.")


class OffTheList(NotFound):
    """The account has taken this person off its list: they come back by being put on it again."""

    message = _("This person is not on the list any more. Put them back on it first.")


class KeptElsewhere(NotFound):
    """The account has said that this is another person of its list: `patient_id` goes on."""

    message = _("This is the same person as another one on the list. Go on there.")

    def __init__(self, kept_id: uuid.UUID) -> None:
        super().__init__()
        self.kept_id = kept_id

    @property
    def details(self) -> dict[str, Any]:
        """Under whom the record is kept."""
        return {"patient_id": str(self.kept_id)}
