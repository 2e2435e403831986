"""Errors as named facts with an HTTP status; one place in `web` turns them into pages or JSON."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A refusal that the reader can understand: `message` is translated and says what to do."""

    status: int = 400
    message: Promise | str = _("This cannot be done.")

    def __init__(self, message: Promise | str | None = None, *, field: str | None = None) -> None:
        if message is not None:
            self.message = message
        self.field = field
        super().__init__(type(self).__name__)

    @property
    def code(self) -> str:
        """The stable name of this fact, for the JSON problem type and for logs."""
        return type(self).__name__

    @property
    def details(self) -> dict[str, Any]:
        """What programs are told beyond type, title, status and field."""
        return {}


class NotPermitted(DomainError):
    """The actor's posts and relations do not allow this."""

    status = 403
    message = _("You are not allowed to do this.")


class NotFound(DomainError):
    """No such record, or none that this actor may know of: the two look the same."""

    status = 404
    message = _("We could not find this.")


class Stale(DomainError):
    """The record moved on since the reader saw it."""

    status = 409
    message = _("Someone was faster: this has changed in the meantime. Please look again.")


class Invalid(DomainError):
    """A value that no form should have let through; `field` names it."""

    status = 422
    message = _("Please check what you entered.")


class TooMany(DomainError):
    """A limit on how often something may be asked."""

    status = 429
    message = _("You have tried too often. Please wait a few minutes and try again.")

    def __init__(self, retry_after: int, message: Promise | str | None = None) -> None:
        """`retry_after`: seconds until trying again makes sense."""
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def details(self) -> dict[str, Any]:
        """The seconds until trying again makes sense."""
        return {"retry_after": self.retry_after}
