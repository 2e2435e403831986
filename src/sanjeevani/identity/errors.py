"""Refusals at the door. None says whether an account exists."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from sanjeevani.foundation.errors import DomainError, Invalid


class WrongCode(DomainError):
    """The code is not the one that was sent; `tries_left` more may be tried."""

    status = 422

    def __init__(self, tries_left: int) -> None:
        more = ngettext_lazy(
            "This is not the code that we sent. You can try %(count)d more time.",
            "This is not the code that we sent. You can try %(count)d more times.",
            "count",
        ) % {"count": tries_left}
        none = _("This is not the code that we sent. Ask for a new one.")
        super().__init__(more if tries_left else none, field="code")
        self.tries_left = tries_left


class CodeDead(DomainError):
    """The code was used, tried too often, is too old, or never was."""

    status = 422
    message = _("This code no longer works. Ask for a new one.")


class ProofNeeded(DomainError):
    """The mobile may have changed hands since somebody last signed in with it."""

    status = 409
    message = _(
        "People are registered with this number, and nobody has signed in with it for a long time."
        " Tell us how old one of them is."
    )


class WrongProof(DomainError):
    """Nobody who is registered with the mobile is of that age."""

    status = 422
    message = _("This fits nobody who is registered with this number.")

    def __init__(self) -> None:
        super().__init__(field="age")


class WrongPassword(DomainError):
    """User name and password do not belong together."""

    status = 422
    message = _("The user name or the password is not right.")


class LoginTaken(DomainError):
    """Another account signs in by this name."""

    status = 409
    message = _("This user name is already taken. Choose another one.")


class WeakPassword(Invalid):
    """A password that guessing would find."""


class AccountInactive(DomainError):
    """The account was closed by an administrator."""

    status = 403
    message = _("This account is closed. Please ask your administrator.")


class InvitationDead(DomainError):
    """The link to set a password was used, replaced by a newer one, is too old, or never was."""

    status = 410
    message = _("This link no longer works. Ask your administrator to send you a new one.")


class NoMobile(Invalid):
    """There is no number to send a message to."""

    message = _("There is no mobile number to send the link to. Enter one.")

    def __init__(self) -> None:
        super().__init__(field="mobile")


class AccountUsed(DomainError):
    """An account that is to be taken back has been used."""

    status = 409
    message = _(
        "This cannot be undone any more: somebody has signed in. Close or change the entries one"
        " by one."
    )
