"""Files of patients as the screens list and send them."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.urls import reverse

from sanjeevani.documents.models import UploadedFile
from sanjeevani.documents.uploads import JPEG, headers_for, open_upload, small_picture


@dataclass(frozen=True)
class Shown:
    """A file in a list: `href` leads to it, `?small` behind it to the picture of the list."""

    href: str
    name: str
    is_picture: bool
    kilobytes: int


def shown(uploads: list[UploadedFile], route: str, *address: object) -> list[Shown]:
    """Return what a list of files shows; `route` with `address` and the file's id leads to it."""
    return [
        Shown(
            reverse(route, args=[*address, upload.id]),
            upload.name,
            upload.content_type == JPEG,
            max(1, upload.size // 1000),
        )
        for upload in uploads
    ]


def send(upload: UploadedFile, *, small: bool) -> HttpResponse:
    """Answer with a file that the caller may see, or with the small picture for a list."""
    headers = headers_for(upload)
    if small:
        picture = small_picture(upload)
        headers["Content-Length"] = str(len(picture))
        return HttpResponse(picture, headers=headers)
    with open_upload(upload) as content:
        return HttpResponse(content.read(), headers=headers)
