"""Uploads: what they claim, what they are, what is kept of them."""

import datetime
import io
import struct
import uuid
import zlib
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sanjeevani.documents import errors, tasks, uploads
from sanjeevani.documents.models import UploadedFile, storage_key
from sanjeevani.documents.uploads import clean_upload
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.models import AuditEvent

ACTOR = Actor(ActorKind.PERSON, account_id=uuid.uuid4(), state_id=28)


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **options: object
) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, 120 if mode in {"L", "I;16"} else None).save(written, kind, **options)
    return written.getvalue()


def pdf(objects: bytes = b"<< /Type /Page >>", tail: bytes = b"%%EOF\n") -> bytes:
    return b"%PDF-1.7\n1 0 obj\n" + objects + b"\nendobj\ntrailer << /Root 1 0 R >>\n" + tail


def with_object_stream(objects: bytes, name: bytes = b"/ObjStm") -> bytes:
    packed = zlib.compress(objects)
    head = b"<< /Type %s /N 1 /First 4 /Filter /FlateDecode /Length %d >>" % (name, len(packed))
    return pdf(head + b"\nstream\n" + packed + b"\nendstream")


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", mode) for mode in ("RGB", "L", "CMYK")]
    + [("PNG", mode) for mode in ("RGB", "L", "1", "RGBA", "LA", "P", "I;16")],
)
def test_pictures_of_every_kind_become_plain_jpegs(kind: str, mode: str) -> None:
    clean = clean_upload(picture(kind, mode=mode))
    assert clean.content_type == "image/jpeg"
    with Image.open(io.BytesIO(clean.content)) as stored:
        assert (stored.format, stored.mode, stored.size) == ("JPEG", "RGB", (40, 30))


def test_large_photos_become_small_and_stand_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "Maker of the camera"
    exif[0x8825] = {1: "N", 2: (16.0, 18.0, 0.0)}  # where it was taken
    clean = clean_upload(picture(size=(4000, 3000), exif=exif, comment=b"secret"))
    assert (clean.width, clean.height) == (1200, 1600)
    with Image.open(io.BytesIO(clean.content)) as stored:
        assert stored.size == (1200, 1600)
        assert not stored.getexif()
        assert set(stored.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for trace in (b"Maker of the camera", b"secret", b"Exif", b"GPS"):
        assert trace not in clean.content


def exif(*entries: tuple[int, int, int, bytes]) -> bytes:
    """Metadata with these entries: tag, type, count and four bytes of value."""
    packed = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + b"\0\0\0\0"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "metadata",
    [
        exif((0x010F, 3, 2, b"\1\0\2\0"), (0x0112, 3, 1, b"\6\0\0\0")),  # a maker of two numbers
        exif((0x0112, 3, 1, b"\6\0\0\0"), (0x8769, 4, 1, b"\xff\xff\xff\x7f")),  # leads nowhere
    ],
)
def test_a_photo_with_odd_metadata_is_taken_and_stands_upright(kind: str, metadata: bytes) -> None:
    clean = clean_upload(picture(kind, exif=metadata))
    assert (clean.width, clean.height) == (30, 40)


@pytest.mark.parametrize("metadata", [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0rubbish" * 9])
def test_a_photo_whose_metadata_cannot_be_read_is_taken_as_it_is(metadata: bytes) -> None:
    clean = clean_upload(picture(exif=metadata))
    assert (clean.width, clean.height) == (40, 30)


@pytest.mark.parametrize(("orientation", "top_left"), list(enumerate("AABDCACDB")))
def test_every_way_to_hold_a_phone(orientation: int, top_left: str) -> None:
    """The quarters of the picture are A B above C D, each in a grey of its own."""
    source = Image.new("L", (40, 40))
    greys = (40, 100, 160, 220)
    for index, grey in enumerate(greys):
        source.paste(
            grey, (index % 2 * 20, index // 2 * 20, index % 2 * 20 + 20, index // 2 * 20 + 20)
        )
    written = io.BytesIO()
    source.save(written, "JPEG", exif=exif((0x0112, 3, 1, struct.pack("<I", orientation))))
    with Image.open(io.BytesIO(clean_upload(written.getvalue()).content)) as stored:
        shown = cast("int", stored.convert("L").getpixel((8, 8)))
    assert abs(shown - greys["ABCD".index(top_left)]) < 15


def test_what_was_transparent_is_white_paper() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(written, "PNG")
    with Image.open(io.BytesIO(clean_upload(written.getvalue()).content)) as stored:
        assert stored.getpixel((4, 4)) == (255, 255, 255)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that unpacks into as many pixels as it says."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    content = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", content)
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", errors.FileEmpty),
        (b"\xff\xd8\xff" + b"a" * 10_000_000, errors.FileTooLarge),
        (b"<html><script>alert(1)</script>", errors.WrongKindOfFile),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.WrongKindOfFile),
        (b"GIF89a" + b"\0" * 100, errors.WrongKindOfFile),
        (b"PK\x03\x04 a zip", errors.WrongKindOfFile),
        (b"MZ a program", errors.WrongKindOfFile),
        (b"\0\0\0\x18ftypheic", errors.WrongKindOfFile),
        (b"\xff\xd8\xff\xe0 not really", errors.PictureUnreadable),
        (picture()[:200], errors.PictureUnreadable),
        (picture("PNG")[:50], errors.PictureUnreadable),
        (png_claiming(50_000, 50_000), errors.PictureUnreadable),
        (png_claiming(10_000, 10_000), errors.PictureUnreadable),
        (picture("PNG", size=(6000, 5000), mode="1"), errors.PictureUnreadable),
        (pdf(tail=b""), errors.PdfUnsafe),
        (pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>"), errors.PdfUnsafe),
        (pdf(b"<< /S /Java#53cript >>"), errors.PdfUnsafe),
        (pdf(b"<< /S/#4c#61unch/F (cmd.exe) >>"), errors.PdfUnsafe),
        (pdf(b"<< /Names << /EmbeddedFiles 3 0 R >> >>"), errors.PdfUnsafe),
        (with_object_stream(b"1 0 << /S /JavaScript >>"), errors.PdfUnsafe),
        (with_object_stream(b"1 0 << /S /JavaScript >>", b"/Obj#53tm"), errors.PdfUnsafe),
        (with_object_stream(b"x" * 30_000_000), errors.PdfUnsafe),
        (pdf(b"/ObjStm" * 100_000), errors.PdfUnsafe),
        (pdf(b"/ObjStm stream\nnot packed endstream"), errors.PdfUnsafe),
        (pdf(b"<< /Encrypt 5 0 R >>"), errors.PdfLocked),
    ],
)
def test_what_lies_or_explodes_is_refused(
    content: bytes, refusal: type[errors.UploadRefused]
) -> None:
    with pytest.raises(refusal):
        clean_upload(content)


@pytest.mark.parametrize(
    "content", [pdf(), with_object_stream(b"1 0 << /Type /Page /JSomething (x) >>")]
)
def test_an_ordinary_pdf_is_kept_as_it_is(content: bytes) -> None:
    clean = clean_upload(content)
    assert (clean.content, clean.content_type) == (content, "application/pdf")


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-"])
)
def test_any_bytes_are_taken_or_refused(content: bytes, start: bytes) -> None:
    try:
        clean = clean_upload(start + content)
    except errors.UploadRefused:
        return
    assert clean.content_type in {"image/jpeg", "application/pdf"}


@pytest.mark.django_db
def test_a_stored_file_has_a_meaningless_key_and_an_audit_row(
    django_capture_on_commit_callbacks: Any,
) -> None:
    patient = uuid.uuid4()
    upload = uploads.store_upload(
        ACTOR,
        state_id=28,
        patient_id=patient,
        file=io.BytesIO(picture("PNG")),
        name="C:\\scans\\../Subbamma\x00 blood report.PNG",
    )
    assert upload.name == "Subbamma blood report.jpg"
    assert "ubbamma" not in upload.storage_key
    assert str(patient) not in upload.storage_key
    with uploads.open_upload(upload) as stored:
        content = stored.read()
    assert content.startswith(b"\xff\xd8\xff")
    assert len(content) == upload.size
    event = AuditEvent.objects.get(state_id=28, record_id=upload.id)
    assert (event.verb, event.patient_id) == ("documents.store_upload", patient)
    assert uploads.uploads_of(28, patient) == [upload]
    assert uploads.uploads_of(29, patient) == []
    assert uploads.uploads_named(28, [upload.id, uuid.uuid4()]) == [upload]
    with pytest.raises(NotFound):
        uploads.get_upload(29, upload.id)

    headers = uploads.headers_for(upload)
    assert headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"

    with django_capture_on_commit_callbacks(execute=True):
        uploads.remove_upload(ACTOR, state_id=28, upload_id=upload.id)
    assert not default_storage.exists(upload.storage_key)
    with pytest.raises(NotFound):
        uploads.open_upload(upload)


def stored() -> UploadedFile:
    return uploads.store_upload(
        ACTOR, state_id=28, patient_id=uuid.uuid4(), file=io.BytesIO(pdf()), name="report.pdf"
    )


@pytest.mark.django_db
def test_a_removal_that_is_undone_keeps_the_file(django_capture_on_commit_callbacks: Any) -> None:
    upload = stored()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        uploads.remove_upload(ACTOR, state_id=28, upload_id=upload.id)
        transaction.set_rollback(True)
    with uploads.open_upload(uploads.get_upload(28, upload.id)) as content:
        assert len(content.read()) == upload.size


@pytest.fixture
def scratch(settings: Any, tmp_path: Path) -> None:
    """A storage without the files of other tests."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("scratch")
def test_a_file_whose_row_was_undone_does_not_stay() -> None:
    kept = stored()
    with transaction.atomic():
        lost = stored()
        transaction.set_rollback(True)
    uploads.remove_lost_files()
    assert default_storage.exists(lost.storage_key)
    later = timezone.now() + datetime.timedelta(days=1, seconds=1)
    with clock.driven_by(lambda: later):
        assert uploads.remove_lost_files() == 1
    assert not default_storage.exists(lost.storage_key)
    assert default_storage.exists(kept.storage_key)


@pytest.mark.django_db
@pytest.mark.usefixtures("scratch")
def test_beside_another_database_no_file_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_LOST", 2)
    kept = [stored() for _file in range(3)]
    UploadedFile.objects.filter(state_id=28).delete()
    later = timezone.now() + datetime.timedelta(days=2)
    with clock.driven_by(lambda: later):
        assert uploads.remove_lost_files() == 0
    assert all(default_storage.exists(one.storage_key) for one in kept)


def test_every_folder_is_looked_through_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(tasks, "remove_lost_files", seen.extend)
    for hour in range(24):
        tasks.forget_lost_files(1_800_000_000 + hour * 3600)
    assert sorted(seen) == sorted(uploads.FOLDERS)
    assert storage_key()[:2] in uploads.FOLDERS


@pytest.mark.django_db
def test_a_pdf_is_served_as_a_download_or_in_a_tab_of_its_own() -> None:
    upload = uploads.store_upload(
        ACTOR, state_id=28, patient_id=uuid.uuid4(), file=io.BytesIO(pdf()), name="x.jpg"
    )
    assert upload.name == "x.pdf"
    kept = uploads.headers_for(upload)
    assert kept["Content-Disposition"].startswith("attachment")
    assert kept["Content-Security-Policy"].endswith("sandbox")
    read = uploads.headers_for(upload, in_a_tab=True)
    assert read["Content-Disposition"].startswith("inline")
    # Browsers show no PDF in a sandbox; scripts are refused all the same.
    assert "sandbox" not in read["Content-Security-Policy"]
    assert read["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.django_db
def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(errors.WrongKindOfFile):
        uploads.store_upload(
            ACTOR, state_id=28, patient_id=uuid.uuid4(), file=io.BytesIO(b"no"), name="photo.jpg"
        )
    assert not UploadedFile.objects.filter(state_id=28).exists()
