"""Facts that calls may answer with."""

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError


class RoomClosed(DomainError):
    """Nothing can be said here any more."""

    status = 409
    message = _("This conversation has ended.")


class NoPhoneBridge(DomainError):
    """This installation cannot place phone calls."""

    status = 409
    message = _("Phone calls are not set up here. Go on by chat, or ask the patient to come again.")


class InvitationOver(DomainError):
    """The link to the third seat does not open anything any more."""

    status = 410
    message = _("This link has ended. Ask whoever sent it for a new one.")


class ThirdSeatTaken(DomainError):
    """The third seat belongs to somebody of the service, whom no link may push out."""

    status = 409
    message = _("Somebody was asked in already. A call has room for one more person.")


class NotInCall(DomainError):
    """There is no call to take a seat in just now."""

    status = 410
    message = _("There is no call just now.")
