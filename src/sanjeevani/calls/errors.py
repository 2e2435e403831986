"""Facts that calls may answer with."""

from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError


class RoomClosed(DomainError):
    """Nothing can be said here any more."""

    status = 409
    message = _("This conversation has ended.")
