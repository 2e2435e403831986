"""Files of patients as the screens list and send them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.files.base import File
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.papers import is_shown
from sanjeevani.documents.models import UploadedFile
from sanjeevani.documents.uploads import (
    ACCEPT,
    JPEG,
    LARGEST_FILE,
    headers_for,
    open_upload,
    small_picture,
)
from sanjeevani.foundation.errors import DomainError
from sanjeevani.identity.limits import count_attempt
from sanjeevani.intake.papers import MOST_PAPERS
from sanjeevani.web.access import PortalRequest

Add = Callable[["File[bytes]"], UploadedFile]


@dataclass(frozen=True)
class Shown:
    """A file in a list: `href` leads to it, `?small` behind it to the picture of the list.

    `by_doctor`: a doctor shows it to the patient.
    """

    href: str
    name: str
    is_picture: bool
    kilobytes: int
    by_doctor: bool = False


def shown(
    uploads: list[UploadedFile],
    route: str,
    *address: object,
    consultation: Consultation | None = None,
) -> list[Shown]:
    """Return what a list of files shows; `route` with `address` and the file's id leads to it.

    `consultation`: the one that the files belong to; a draft has none.
    """
    return [
        Shown(
            reverse(route, args=[*address, upload.id]),
            upload.name,
            upload.content_type == JPEG,
            max(1, upload.size // 1000),
            consultation is not None and is_shown(upload, consultation),
        )
        for upload in uploads
    ]


def take(request: PortalRequest, add: Add) -> list[str]:
    """Keep every file that can be kept; return what is wrong with the others, by name."""
    sent = request.FILES.getlist("files")
    if not sent:
        return [_("Choose a photo or a paper first.")]
    problems = []
    for file in sent:
        try:
            # To read a picture costs more than anything else that a page does.
            count_attempt("uploads_per_account", str(request.actor.account_id))
            add(file)
        except DomainError as error:
            problems.append(f"{(file.name or '')[:60]}: {error.message}")
    return problems


def limits(problems: list[str]) -> dict[str, Any]:
    """Return what a form for files says: what it takes, and what was wrong with some."""
    return {
        "accept": ACCEPT,
        "most": MOST_PAPERS,
        "largest": LARGEST_FILE,
        "problems": problems,
        "failed": bool(problems),
    }


def send(upload: UploadedFile, *, small: bool, in_a_tab: bool = False) -> HttpResponse:
    """Answer with a file that the caller may see, or with the small picture for a list.

    `in_a_tab`: the page opens a PDF in a tab of its own.
    """
    headers = headers_for(upload, in_a_tab=in_a_tab)
    if small:
        picture = small_picture(upload)
        headers["Content-Length"] = str(len(picture))
        return HttpResponse(picture, headers=headers)
    with open_upload(upload) as content:
        return HttpResponse(content.read(), headers=headers)
