"""Facts that a consultation may answer with."""

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError, Stale


class ConsentMissing(DomainError):
    """The patient has not agreed to the current notice."""

    status = 409
    message = _("Please read and accept the notice first.")


class ClinicClosed(DomainError):
    """Outside its hours."""

    status = 409
    message = _("This OPD is closed now. Please look at its hours.")


class DangerSigns(DomainError):
    """An answer to the danger questions means emergency care now, not a token."""

    status = 409
    message = _("Do not wait here. Ring 108 for an ambulance now, or go to the nearest hospital.")


class DangerUnanswered(DomainError):
    """The danger questions come before anything else."""

    status = 409
    message = _("Answer the questions about danger signs first.")


class NotFollowUp(DomainError):
    """The earlier consultation was not held, or too long ago."""

    status = 409
    message = _("A follow-up is possible for six months after a consultation. Ask anew, please.")


class NobodyElse(DomainError):
    """No other OPD of this kind has a doctor."""

    status = 409
    message = _("No other OPD of this kind has a doctor just now. You keep your place here.")


class NotOnDuty(DomainError):
    """Next needs somebody on duty."""

    status = 409
    message = _("You are not on duty. Go on duty first, then call the next patient.")


class NoteChanged(Stale):
    """The note is another one than whoever writes has read."""


class NotInProgress(DomainError):
    """Notes and prescriptions are written while the consultation is in progress."""

    status = 409
    message = _("This consultation is not in progress.")


class AlreadyGiven(DomainError):
    """Feedback is given once."""

    status = 409
    message = _("You have already told us. Thank you.")


class KeptApart(DomainError):
    """One of the two does not want to meet the other again."""

    status = 409
    message = _("You will not be brought together with this doctor again. Choose an OPD instead.")


class PresenceUnproven(DomainError):
    """The state asks the spoke to show that the patient really sits there."""

    status = 409
    message = _("Show first that the patient is here: take a photo, or enter the patient’s code.")


class AlreadyAsked(DomainError):
    """One colleague at a time is asked in."""

    status = 409
    message = _("A colleague is asked in already. Take that back first.")


class ColleagueAway(DomainError):
    """Off duty by now, or not one whom this patient may meet."""

    status = 409
    message = _("This colleague is not on duty any more. Choose another.")


class AskOver(DomainError):
    """Answered, taken back, or too late."""

    status = 410
    message = _("This request has ended: taken back, not answered in time, or over with the call.")


class WithOwnPatient(DomainError):
    """Who is with a patient comes later."""

    status = 409
    message = _("You are with a patient. Say in how many minutes you come.")
