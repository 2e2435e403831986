"""What can be wrong with a file or a link, said to the person who sent or opened it."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from sanjeevani.foundation.errors import DomainError


class UploadRefused(DomainError):
    """A file that we cannot take; the message says why and what to do."""

    status = 422

    def __init__(self, message: Promise | str) -> None:
        super().__init__(message, field="file")


class FileEmpty(UploadRefused):
    """Nothing was sent."""

    def __init__(self) -> None:
        super().__init__(_("This file is empty. Choose another one."))


class FileTooLarge(UploadRefused):
    """More bytes, or more pixels, than we take."""

    status = 413

    def __init__(self) -> None:
        super().__init__(_("This file is larger than 10 MB. Choose a smaller one."))


class WrongKindOfFile(UploadRefused):
    """Neither a JPEG or PNG picture nor a PDF, whatever its name says."""

    status = 415

    def __init__(self) -> None:
        super().__init__(_("Choose a photo (JPEG or PNG) or a PDF."))


class PictureUnreadable(UploadRefused):
    """A damaged picture, or one made to exhaust whoever opens it."""

    def __init__(self) -> None:
        super().__init__(_("We cannot open this picture. Take the photo again."))


class PdfLocked(UploadRefused):
    """A PDF behind a password: the doctor could not read it."""

    def __init__(self) -> None:
        super().__init__(_("This PDF is locked with a password. Send it without one."))


class PdfUnsafe(UploadRefused):
    """A PDF that carries programs or other files, or is damaged."""

    def __init__(self) -> None:
        super().__init__(
            _("This PDF contains more than pages, so we cannot take it. Send a photo instead.")
        )


class LinkDead(DomainError):
    """No such link, or it expired, was withdrawn or used up its tries: they look the same."""

    status = 404
    message = _("This link no longer works. Ask for a new one.")


class TooManyLinks(DomainError):
    """As many links to one record work as may."""

    status = 409
    message = _("Ten links to this work already. End one of them first.")


class LinkAnswerWrong(DomainError):
    """The answer does not fit the record."""

    status = 422

    def __init__(self, tries_left: int) -> None:
        self.tries_left = tries_left
        super().__init__(
            ngettext_lazy(
                "This does not match. You have %(count)d more try.",
                "This does not match. You have %(count)d more tries.",
                tries_left,
            )
            % {"count": tries_left},
            field="answer",
        )
