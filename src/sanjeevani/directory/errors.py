"""Facts that the directory may answer with."""

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError, Invalid


class StateNotOpen(DomainError):
    """The state does not take part yet."""

    status = 409
    message = _("This state is not open yet. A national administrator opens it first.")


class NameTaken(Invalid):
    """A facility of the district, or a clinic of the facility, has this name."""

    message = _("This name is taken here. Choose another one.")

    def __init__(self) -> None:
        super().__init__(field="name")


class AlreadyRegistered(DomainError):
    """The registration number, or the account, belongs to a registered practitioner."""

    status = 409
    message = _("A practitioner with this registration or account is already on the list.")


class NotVerified(DomainError):
    """Only verified practitioners hold clinical posts."""

    status = 409
    message = _("This practitioner is not verified yet. A state administrator verifies first.")


class LastAdministrator(DomainError):
    """Without them nobody could appoint a national administrator from the screens any more."""

    status = 409
    message = _(
        "Nobody else can administer the nation: appoint another national administrator first, who"
        " has chosen a password."
    )


class OwnAccount(DomainError):
    """Closed by oneself, it could not be opened again by oneself."""

    status = 409
    message = _("This is your own account: somebody else has to close it.")


class PostHeld(DomainError):
    """The account holds this post already."""

    status = 409
    message = _("This person already holds this post.")


class AlreadyClosed(DomainError):
    """Nothing can be changed at what is closed for good."""

    status = 409
    message = _("This is closed for good.")


class AlreadyVerified(DomainError):
    """What was checked with the council does not change afterwards."""

    status = 409
    message = _(
        "This practitioner is verified. To correct the entry, take the verification back first."
    )


class EntryChanged(DomainError):
    """Somebody corrected what was held against the council's register."""

    status = 409
    message = _(
        "This entry has been corrected meanwhile. Look at it again, and check it with the council."
    )


class ChangedMeanwhile(DomainError):
    """Somebody else changed what was on the page, and would lose it."""

    status = 409
    message = _(
        "Somebody else has changed this meanwhile. Open it in another window to see what stands"
        " now. If you save again, what you entered takes its place."
    )


class HolidayPassed(Invalid):
    """The day is over."""

    message = _("This day is over. Choose today or a day to come.")

    def __init__(self) -> None:
        super().__init__(field="first")


class LeadsBack(Invalid):
    """A hub link would close a circle."""

    message = _(
        "This facility already sends its own patients, directly or through others, to the"
        " facility you are linking. Choose a hub of a higher level."
    )

    def __init__(self) -> None:
        super().__init__(field="hub")


class LinkedAlready(DomainError):
    """The hub answers this spoke already."""

    status = 409
    message = _("This hub is already on the list.")


class SpecialityOpen(DomainError):
    """The hub has a line of this speciality."""

    status = 409
    message = _("This speciality is already open here.")


class InUse(DomainError):
    """Somebody works with what is to be taken back."""

    status = 409
    message = _(
        "This cannot be undone any more: somebody already works with it. Close or change the"
        " entries one by one."
    )
