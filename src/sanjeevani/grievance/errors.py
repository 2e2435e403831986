"""Facts that a grievance may answer with."""

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError


class NumberUnknown(DomainError):
    """No grievance has this number."""

    status = 404
    message = _("We know no complaint with this number. Please look at it again.")


class TooLateToReopen(DomainError):
    """The time in which an answer can be disputed is over."""

    status = 409
    message = _("This was answered more than thirty days ago. Please write a new complaint.")
