"""Taking in photos and papers: checked by content, pictures re-encoded small and clean.

What leaves here is a JPEG that we wrote ourselves, without metadata, or a PDF without active
content as far as that can be seen. The checks of PDFs are a sieve, not a proof: they are served as
downloads, or to clinicians in a tab of their own, never shown inside our pages (`headers_for`).
"""

import datetime
import hashlib
import io
import logging
import re
import struct
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from django.core.exceptions import RequestDataTooBig
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadhandler import FileUploadHandler
from django.db import transaction
from PIL import ExifTags, Image

from sanjeevani.documents.errors import (
    FileEmpty,
    FileTooLarge,
    PdfLocked,
    PdfUnsafe,
    PictureUnreadable,
    WrongKindOfFile,
)
from sanjeevani.documents.models import UploadedFile, storage_key
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.sharding import across_states
from sanjeevani.foundation.verbs import concerns, verb

logger = logging.getLogger(__name__)

LARGEST_FILE = 10_000_000
LARGEST_SIDE = 1600
JPEG_QUALITY = 80
# Decoding takes 4 bytes a pixel; a JPEG is reduced while decoding, a PNG cannot be.
MOST_PIXELS = {"JPEG": 64_000_000, "PNG": 25_000_000}

JPEG = "image/jpeg"
PDF = "application/pdf"

ACCEPT = "image/jpeg,image/png,application/pdf"
"""For the `accept` attribute of a file field."""


LARGEST_REQUEST = 60_000_000
"""Several photos at once. What is larger is refused before it fills the disk."""


class RequestLimit(FileUploadHandler):
    """Stands first among Django's upload handlers and takes no file itself."""

    def handle_raw_input(
        self,
        input_data: object,
        META: Mapping[str, Any],  # noqa: N803 - Django's own name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Refuse a request that is too large, by what it says of itself."""
        if content_length > LARGEST_REQUEST:
            raise RequestDataTooBig

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Pass the bytes on."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers that follow."""


@dataclass(frozen=True)
class CleanFile:
    """What is stored: never the bytes of a picture that someone else wrote."""

    content: bytes
    content_type: str
    width: int | None = None
    height: int | None = None


def clean_upload(content: bytes) -> CleanFile:
    """Return a file fit to store. Raises the UploadRefused errors of `errors.py`."""
    if not content:
        raise FileEmpty
    if len(content) > LARGEST_FILE:
        raise FileTooLarge
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return _clean_picture(content)
    if content.startswith(b"%PDF-"):
        return _check_pdf(content)
    raise WrongKindOfFile


def _clean_picture(content: bytes) -> CleanFile:
    try:
        with Image.open(io.BytesIO(content), formats=list(MOST_PIXELS)) as source:
            if source.width * source.height > MOST_PIXELS[source.format or "PNG"]:
                raise PictureUnreadable
            source.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
            source.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
            picture = _on_white(_upright(source))
    # A hostile or broken picture fails in whatever part of the decoder it reaches first.
    except (
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
        EOFError,
        MemoryError,
        OSError,
        SyntaxError,
        ValueError,
        zlib.error,
    ):
        raise PictureUnreadable from None
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return CleanFile(written.getvalue(), JPEG, picture.width, picture.height)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture stand upright, by the orientation that its metadata tell (Exif 2.3)."""


def _upright(picture: Image.Image) -> Image.Image:
    """Return the picture as it was held. What else its metadata say, or how badly, is no matter.

    Pillow's own function writes the metadata anew, and fails on what many a camera wrote.
    """
    try:
        turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except (AttributeError, LookupError, OSError, SyntaxError, TypeError, ValueError, struct.error):
        return picture
    return picture if turn is None else picture.transpose(turn)


def _on_white(picture: Image.Image) -> Image.Image:
    """Return the picture as plain RGB without metadata; what was transparent becomes paper."""
    if picture.mode in {"I;16", "I"}:
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        page = Image.new("RGB", picture.size, "white")
        page.paste(picture, mask=picture.getchannel("A"))
        return page
    page = Image.new("RGB", picture.size)
    page.paste(picture.convert("RGB"))
    return page


def _names(*names: bytes) -> re.Pattern[bytes]:
    """Match PDF names however they are spelled: any character may stand as `#` and two digits."""
    spelled = (
        b"".join(b"(?:%c|#%02x|#%02X)" % (byte, byte, byte) for byte in name) for name in names
    )
    return re.compile(b"/(?:" + b"|".join(spelled) + b")(?![A-Za-z0-9])")


# What makes a reader do something, or carries something. Short names (JS, 3D) are left out: they
# turn up in compressed pages by chance, and none of them works without one of these.
_ACTIVE = _names(
    b"JavaScript", b"Launch", b"EmbeddedFile", b"EmbeddedFiles", b"RichMedia", b"XFA",
    b"SubmitForm", b"ImportData", b"GoToE", b"GoToR", b"Rendition", b"Movie", b"Sound",
)  # fmt: skip
_ENCRYPTED = _names(b"Encrypt")
_OBJECT_STREAM = _names(b"ObjStm")
_STREAM = re.compile(rb"stream\r?\n")
LONGEST_DICTIONARY = 4_000
MOST_OBJECT_STREAMS = 5_000
MOST_UNPACKED = 20_000_000


def _check_pdf(content: bytes) -> CleanFile:
    if b"%%EOF" not in content[-2048:]:
        raise PdfUnsafe
    for objects in (content, *_object_streams(content)):
        if _ENCRYPTED.search(objects):
            raise PdfLocked
        if _ACTIVE.search(objects):
            raise PdfUnsafe
    return CleanFile(content, PDF)


def _object_streams(content: bytes) -> Iterator[bytes]:
    """Yield the unpacked object streams, in which newer PDFs keep most of their objects.

    Raises PdfUnsafe for what cannot be unpacked, or not within the limits.
    """
    budget = MOST_UNPACKED
    view = memoryview(content)
    for count, name in enumerate(_OBJECT_STREAM.finditer(content)):
        start = _STREAM.search(content, name.end(), name.end() + LONGEST_DICTIONARY)
        if start is None or count >= MOST_OBJECT_STREAMS:
            raise PdfUnsafe
        try:
            unpacked = zlib.decompressobj().decompress(view[start.end() :], budget)
        except zlib.error:
            raise PdfUnsafe from None
        budget -= len(unpacked)
        if budget <= 0:
            raise PdfUnsafe
        yield unpacked


@verb("documents.store_upload")
def store_upload(
    actor: Actor, *, state_id: int, patient_id: uuid.UUID, file: "BinaryIO | File[bytes]", name: str
) -> UploadedFile:
    """Check, clean and keep a file of a patient; `state_id` is the patient's or the tenant's.

    Raises the UploadRefused errors of `errors.py`. The content is written before the row: should
    the transaction fail later, a file without a row stays behind until `remove_lost_files`.
    """
    clean = clean_upload(file.read(LARGEST_FILE + 1))
    key = default_storage.save(storage_key(), ContentFile(clean.content))
    upload = UploadedFile.objects.create(
        state_id=state_id,
        patient_id=patient_id,
        storage_key=key,
        name=_display_name(name, clean.content_type),
        content_type=clean.content_type,
        size=len(clean.content),
        sha256=hashlib.sha256(clean.content).hexdigest(),
        width=clean.width,
        height=clean.height,
        uploaded_by_id=actor.account_id,
        uploaded_at=clock.now(),
    )
    concerns(upload, patient_id=patient_id)
    return upload


@verb("documents.remove_upload")
def remove_upload(actor: Actor, *, state_id: int, upload_id: uuid.UUID) -> None:
    """Forget a file before it was sent to anyone. Raises NotFound.

    Whether it may go is the caller's to decide: a frozen intake keeps its papers.
    """
    upload = get_upload(state_id, upload_id)
    concerns(upload, patient_id=upload.patient_id)
    UploadedFile.objects.filter(state_id=state_id, id=upload_id).delete()
    # Undone later in its transaction, the row is back and needs its file. A file that cannot be
    # deleted just now has no row any more, and goes with the lost ones.
    transaction.on_commit(partial(default_storage.delete, upload.storage_key), robust=True)


FOLDERS = tuple(f"{number:02x}" for number in range(256))
"""Where `storage_key` leads: the first two digits of a random name."""

LOST_AFTER = datetime.timedelta(days=1)
"""Far longer than a transaction that has written its file and not yet its row."""

FILES_AT_ONCE = 1000

MOST_LOST = 100
"""More than this, and more than are known: it is not the database of these files."""


def remove_lost_files(folders: Iterable[str] = FOLDERS) -> int:
    """Delete files that no row knows, a day after they were written; return how many.

    They were written in a transaction that was undone, or stayed when their row was deleted. For
    the background sweep. Beside a database that was set back or is another one nothing is deleted.
    """
    lost: list[str] = []
    known = 0
    for folder in folders:
        try:
            _folders, names = default_storage.listdir(folder)
        except FileNotFoundError:
            continue
        for start in range(0, len(names), FILES_AT_ONCE):
            keys = {f"{folder}/{name}" for name in names[start : start + FILES_AT_ONCE]}
            of_rows = _known_among(keys)
            known += len(of_rows)
            lost += [key for key in keys - of_rows if _is_old(key)]
    if len(lost) > max(MOST_LOST, known):
        logger.warning("%d files without a row, %d with one: none is deleted", len(lost), known)
        return 0
    for key in lost:
        default_storage.delete(key)
    return len(lost)


def _known_among(keys: set[str]) -> set[str]:
    with across_states():
        rows = UploadedFile.objects.filter(storage_key__in=keys)
        return set(rows.values_list("storage_key", flat=True))


def _is_old(key: str) -> bool:
    try:
        return default_storage.get_modified_time(key) < clock.now() - LOST_AFTER
    except FileNotFoundError:
        return False


def get_upload(state_id: int, upload_id: uuid.UUID) -> UploadedFile:
    """Return an upload. Raises NotFound. The caller has checked who may see its patient."""
    upload = UploadedFile.objects.filter(state_id=state_id, id=upload_id).first()
    if upload is None:
        raise NotFound
    return upload


def uploads_of(state_id: int, patient_id: uuid.UUID) -> list[UploadedFile]:
    """Return a patient's files, the newest first."""
    return list(
        UploadedFile.objects.filter(state_id=state_id, patient_id=patient_id).order_by("-id")
    )


def uploads_named(state_id: int, upload_ids: list[uuid.UUID]) -> list[UploadedFile]:
    """Return the files with these ids, in the order of sending; unknown ones are left out."""
    rows = UploadedFile.objects.filter(state_id=state_id, id__in=upload_ids)
    return list(rows.order_by("id"))


def open_upload(upload: UploadedFile) -> "File[bytes]":
    """Open the content for reading; the caller closes it. Raises NotFound if it is gone."""
    try:
        return default_storage.open(upload.storage_key, "rb")
    except FileNotFoundError:
        raise NotFound from None


SMALL_SIDE = 240
"""The longer side of a picture in a list: sharp at half as many CSS pixels."""


def small_picture(upload: UploadedFile) -> bytes:
    """Return a picture of ours as a small JPEG. Raises NotFound for what is no picture."""
    if upload.content_type != JPEG:
        raise NotFound
    with open_upload(upload) as content, Image.open(content, formats=["JPEG"]) as picture:
        picture.draft("RGB", (SMALL_SIDE, SMALL_SIDE))
        picture.thumbnail((SMALL_SIDE, SMALL_SIDE))
        written = io.BytesIO()
        picture.save(written, "JPEG", quality=70)
    return written.getvalue()


def headers_for(upload: UploadedFile, *, in_a_tab: bool = False) -> dict[str, str]:
    """Return the headers to serve an upload with: nothing in it may run or be guessed at.

    `in_a_tab`: a PDF is read in the browser, not kept as a file.
    """
    is_picture = upload.content_type == JPEG
    shown = "inline" if is_picture or in_a_tab else "attachment"
    extension = "jpg" if is_picture else "pdf"
    # Browsers show no PDF in a sandbox; their viewer is a page that holds it, with a style.
    viewer = "object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    rest = viewer if in_a_tab and not is_picture else "sandbox"
    return {
        "Content-Type": upload.content_type,
        "Content-Length": str(upload.size),
        "Content-Disposition": f'{shown}; filename="document-{upload.id.hex[-6:]}.{extension}"',
        "Content-Security-Policy": f"default-src 'none'; {rest}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def _display_name(name: str, content_type: str) -> str:
    """Return the sender's name for the file without path, control characters or its old ending."""
    last = re.split(r"[\\/]", name)[-1]
    readable = "".join(character for character in last if character.isprintable()).strip()
    stem = readable.rpartition(".")[0] or readable or "file"
    return f"{stem[:110]}.{'jpg' if content_type == JPEG else 'pdf'}"
