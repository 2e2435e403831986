"""Facts that an import may answer with."""

from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.errors import DomainError, Invalid
from sanjeevani.onboarding.messages import text_of


class FileRefused(Invalid):
    """A file that cannot be used at all; `reason` names the message."""

    def __init__(self, reason: str, **params: Any) -> None:
        self.reason = reason
        self.params = params
        super().__init__(lazy(text_of, str)(reason, params), field="files")


class FilesGone(DomainError):
    """The files of an import were deleted: they name people, and nobody went on with them."""

    status = 409
    message = _(
        "These files were deleted, because nobody went on with them for a week. Bring them in"
        " again: what is there already stays as it is."
    )
