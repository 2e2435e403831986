"""Facts that the roster may answer with."""

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError, Invalid


class LeaveOverlaps(Invalid):
    """Some of the days are noted as leave already."""

    message = _("Some of these days are leave already. Cancel that first, or choose other days.")

    def __init__(self) -> None:
        super().__init__(field="first")


class LeavePassed(Invalid):
    """A day that is over."""

    message = _("This day is over. Choose today or a day to come.")

    def __init__(self) -> None:
        super().__init__(field="first")


class LeaveOver(DomainError):
    """Nothing of the leave is left to cancel."""

    status = 409
    message = _("This leave is over: what is past stays as it was.")


class ShiftBegun(DomainError):
    """It is too late to give a shift away."""

    status = 409
    message = _("This shift has begun already: it cannot change hands any more.")


class ShiftGone(DomainError):
    """Who offers a shift does not hold it any more."""

    status = 409
    message = _("This shift is not planned any more, or somebody else has it now.")


class OfferedAlready(DomainError):
    """The colleague has not answered yet."""

    status = 409
    message = _("This colleague has been asked already. Wait for the answer, or ask another one.")


class TakerAway(Invalid):
    """The colleague is on leave during the shift."""

    message = _("%(name)s is on leave then. Choose another colleague.")

    def __init__(self, name: str) -> None:
        super().__init__(self.message % {"name": name}, field="taker")


class TakerBusy(Invalid):
    """The colleague has another shift during the shift."""

    message = _("%(name)s has another shift at that time. Choose another colleague.")

    def __init__(self, name: str) -> None:
        super().__init__(self.message % {"name": name}, field="taker")
