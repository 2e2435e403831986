"""Facts that an import may answer with."""

from typing import Any

from django.utils.functional import lazy

from sanjeevani.foundation.errors import Invalid
from sanjeevani.onboarding.messages import text_of


class FileRefused(Invalid):
    """A file that cannot be used at all; `reason` names the message."""

    def __init__(self, reason: str, **params: Any) -> None:
        self.reason = reason
        self.params = params
        super().__init__(lazy(text_of, str)(reason, params), field="files")
