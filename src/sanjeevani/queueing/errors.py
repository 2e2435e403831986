"""Facts that queueing may answer with."""

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError


class LineFull(DomainError):
    """All places of the day are taken."""

    status = 409
    message = _("All places for today are taken. Please choose another OPD, or come back tomorrow.")


class WaitingRoomFull(DomainError):
    """Places are left today, but as many wait now as the waiting room holds."""

    status = 409
    message = _("The waiting room is full just now. Please try again in a few minutes.")


class AlreadyWaiting(DomainError):
    """The patient has a live token in this line."""

    status = 409
    message = _("This patient already has a token here.")


class AlreadyServing(DomainError):
    """The practitioner has a live consultation."""

    status = 409
    message = _("You are already with a patient. Finish or hand back that consultation first.")


class NobodyWaiting(DomainError):
    """No eligible token waits in any of the lines served."""

    status = 404
    message = _("Nobody is waiting in your lines.")


class CallExpired(DomainError):
    """The 120 seconds are over, or the call was taken back."""

    status = 409
    message = _("This call is over. Look at your token to see how it goes on.")
