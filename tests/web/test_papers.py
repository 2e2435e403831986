"""Photos and papers on the patient's pages and at the desk: taken in, refused, removed, read."""

import io
import uuid
import zlib
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from sanjeevani.consultation.services import answer, call_next
from sanjeevani.consultation.transfers import redirect
from sanjeevani.directory.models import Clinic
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.documents.models import UploadedFile
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.identity.models import Account, Session
from sanjeevani.intake.papers import MOST_PAPERS
from sanjeevani.patients.models import Patient
from tests import factories

pytestmark = pytest.mark.django_db

FRAGMENT = {"X-Fragment": "1"}
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def scratch(settings: Any, tmp_path: Any) -> None:
    """Files of a test go with it."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path},
        }
    }


@pytest.fixture
def clinic() -> Clinic:
    """A clinic of the patient's state."""
    clinic: Clinic = factories.ClinicFactory.create()
    return clinic


@pytest.fixture
def patient(client: Client) -> Patient:
    """A patient whose account is signed in."""
    patient: Patient = factories.PatientFactory.create()
    factories.sign_in(client, Account.objects.get(id=patient.account_id))
    return patient


def photo(name: str = "rash.jpg", kind: str = "JPEG", side: int = 400) -> SimpleUploadedFile:
    """A photo with the place where it was taken in it."""
    picture = Image.new("RGB", (side, side), "#a33")
    place = Image.Exif()
    place[0x8825] = {1: "N", 2: (16.0, 18.0, 0.0)}
    written = io.BytesIO()
    picture.save(written, kind, exif=place)
    return SimpleUploadedFile(name, written.getvalue())


def bomb() -> SimpleUploadedFile:
    """A small PNG that says it is 60,000 pixels square."""
    head = b"\x89PNG\r\n\x1a\n"

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            len(content).to_bytes(4, "big")
            + kind
            + content
            + zlib.crc32(kind + content).to_bytes(4, "big")
        )

    size = (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    content = head + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 5000))
    return SimpleUploadedFile("wound.png", content + chunk(b"IEND", b""))


def files() -> list[UploadedFile]:
    """Everything that is kept."""
    return list(UploadedFile.objects.filter(state_id=28).order_by("id"))


def test_several_at_once_and_one_lies(client: Client, patient: Patient) -> None:
    home = f"/people/{patient.id}/papers"
    liar = SimpleUploadedFile("report.jpg", b"MZ\x90\x00 not a picture at all")
    sent = client.post(home, {"files": [photo(), liar, SimpleUploadedFile("old.pdf", PDF), bomb()]})
    page = sent.content.decode()
    assert sent.status_code == 422
    assert "report.jpg: Choose a photo (JPEG or PNG) or a PDF." in page
    assert "wound.png: We cannot open this picture." in page
    assert [file.name for file in files()] == ["rash.jpg", "old.pdf"]
    kept, paper = files()
    with default_storage.open(kept.storage_key) as content:
        assert not Image.open(content).getexif()
    shown = client.get(f"{home}/{kept.id}")
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    small = client.get(f"{home}/{kept.id}?small")
    assert Image.open(io.BytesIO(small.content)).width == 240
    assert client.get(f"{home}/{paper.id}").headers["Content-Disposition"].startswith("attachment")
    assert client.get(f"{home}/{paper.id}?small").status_code == 404


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose a photo or a paper first."),
        ({"files": SimpleUploadedFile("empty.jpg", b"")}, "This file is empty."),
        (
            {"files": SimpleUploadedFile("big.jpg", b"\xff\xd8\xff" + b"0" * 10_000_000)},
            "larger than 10 MB",
        ),
        ({"files": SimpleUploadedFile("x.pdf", PDF + b"/JavaScript %%EOF")}, "more than pages"),
    ],
)
def test_what_is_refused_leaves_nothing(
    client: Client, patient: Patient, sent: Any, said: str
) -> None:
    answer = client.post(f"/people/{patient.id}/papers", sent, headers=FRAGMENT)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert files() == []


def test_more_than_a_doctor_looks_through(client: Client, patient: Patient) -> None:
    home = f"/people/{patient.id}/papers"
    pictures = [photo(f"{number}.jpg", side=20) for number in range(MOST_PAPERS + 1)]
    assert client.post(home, {"files": pictures}).status_code == 422
    assert len(files()) == MOST_PAPERS
    assert 'type="file"' not in client.get(home).content.decode()


def test_a_request_that_would_fill_the_disk_is_refused_unread(
    client: Client, patient: Patient
) -> None:
    answer = client.post(
        f"/people/{patient.id}/papers", {"files": photo()}, CONTENT_LENGTH="900000000"
    )
    assert answer.status_code == 413


def test_papers_go_along_and_stay_once_the_consultation_begins(
    client: Client, clinic: Clinic, patient: Patient, django_capture_on_commit_callbacks: Any
) -> None:
    home = f"/people/{patient.id}/papers"
    client.post(home, {"files": [photo("a.jpg"), photo("b.jpg")]})
    first, second = files()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"{home}/{first.id}/remove")
    assert not default_storage.exists(first.storage_key)
    held = factories.requested(clinic, patient)
    address = f"/consultations/28/{held.id}"
    assert "b.jpg" not in client.get(home).content.decode()
    page = client.get(address).content.decode()
    assert "b.jpg" in page
    added = client.post(f"{address}/papers", {"files": photo("c.png", "PNG")}, headers=FRAGMENT)
    assert added.status_code == 200
    assert "c.jpg" in added.content.decode()
    third = files()[-1]
    removed = client.post(f"{address}/papers/{third.id}/remove", headers=FRAGMENT)
    assert "c.jpg" not in removed.content.decode()

    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    answer(factories.person(patient.account_id), state_id=28, consultation_id=held.id)
    late = client.post(f"{address}/papers/{second.id}/remove")
    assert late.status_code == 422
    assert "stays with it" in late.content.decode()
    assert client.get(f"{address}/papers/{second.id}").status_code == 200
    during = client.post(f"{address}/papers", {"files": photo("now.jpg")})
    assert during.status_code == 303


def test_papers_of_others_do_not_exist(client: Client, clinic: Clinic, patient: Patient) -> None:
    other = factories.PatientFactory.create()
    stranger = Client()
    factories.sign_in(stranger, Account.objects.get(id=other.account_id))
    stranger.post(f"/people/{other.id}/papers", {"files": photo()})
    [file] = files()
    own = factories.requested(clinic, patient)
    for address in (
        f"/people/{other.id}/papers",
        f"/people/{other.id}/papers/{file.id}",
        f"/people/{patient.id}/papers/{file.id}",
        f"/consultations/28/{own.id}/papers/{file.id}",
        f"/consultations/28/{uuid.uuid4()}/papers",
    ):
        assert client.get(address).status_code == 404
    for address in (
        f"/people/{patient.id}/papers/{file.id}/remove",
        f"/consultations/28/{own.id}/papers/{file.id}/remove",
    ):
        assert client.post(address).status_code == 404
    assert files() == [file]


def test_the_doctor_reads_them_with_an_audit_row_and_others_do_not(
    client: Client, clinic: Clinic, patient: Patient
) -> None:
    client.post(f"/people/{patient.id}/papers", {"files": photo()})
    [file] = files()
    held = factories.requested(clinic, patient)
    doctor, colleague = factories.on_duty(clinic), factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    desk, elsewhere = at_desk(doctor), at_desk(colleague)
    address = f"/desk/consultations/28/{held.id}/papers"
    page = desk.get("/desk").content.decode()
    # Large beside the call by script and by a key, as a plain link in a tab of its own without.
    assert f'href="{address}/{file.id}" target="_blank" rel="noopener" data-picture=' in page
    assert 'data-key="f"' in page
    assert 'id="viewer"' in page
    for path in (address, f"{address}/{file.id}", f"{address}/{file.id}?small"):
        assert desk.get(path).status_code == 200
        assert elsewhere.get(path).status_code == 404
    read = AuditEvent.objects.filter(state_id=28, verb="consultation.read_paper")
    assert [(row.record_id, row.patient_id) for row in read] == [(file.id, patient.id)] * 2
    assert desk.get(f"{address}/{uuid.uuid4()}").status_code == 404


def test_the_doctor_reads_a_pdf_in_a_tab(client: Client, clinic: Clinic, patient: Patient) -> None:
    client.post(f"/people/{patient.id}/papers", {"files": SimpleUploadedFile("old.pdf", PDF)})
    [file] = files()
    held = factories.requested(clinic, patient)
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    address = f"/desk/consultations/28/{held.id}/papers/{file.id}"
    desk = at_desk(doctor)
    assert f'href="{address}" target="_blank"' in desk.get("/desk").content.decode()
    assert desk.get(address).headers["Content-Disposition"].startswith("inline")


def test_the_doctor_shows_the_patient_a_photo_in_the_call(
    client: Client, clinic: Clinic, patient: Patient
) -> None:
    held = factories.requested(clinic, patient)
    doctor, colleague = factories.on_duty(clinic), factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    desk, elsewhere = at_desk(doctor), at_desk(colleague)
    show = f"/desk/consultations/28/{held.id}/papers/show"
    refused = desk.post(show, {"files": photo()})
    assert refused.status_code == 422
    assert "not in progress" in refused.content.decode()
    client.post(f"/consultations/28/{held.id}/answer")
    assert show in desk.get("/desk").content.decode()
    assert elsewhere.post(show, {"files": photo()}).status_code == 404
    assert client.post(show, {"files": photo()}).status_code == 403
    wrong = desk.post(
        show, {"files": SimpleUploadedFile("exercise.jpg", b"no picture")}, headers=FRAGMENT
    )
    assert (wrong.status_code, files()) == (422, [])
    assert "exercise.jpg: Choose a photo" in wrong.content.decode()
    assert desk.post(show, {"files": photo()}).status_code == 303
    [file] = files()
    address = f"/consultations/28/{held.id}/papers/{file.id}"
    status = client.get(f"/consultations/28/{held.id}/status").content.decode()
    assert "The doctor shows you this" in status
    assert f"{address}?small" in status
    assert client.get(address).status_code == 200
    client.post(f"{address}/remove")
    assert files() == [file]


def at_desk(practitioner: Any) -> Client:
    """A browser in which a doctor acts in a post of their state."""
    desk = Client()
    facility = factories.FacilityFactory.create(state_id=practitioner.state_id)
    post = factories.PostFactory.create(practitioner=practitioner, facility=facility)
    factories.sign_in(desk, Account.objects.get(id=practitioner.account_id))
    Session.objects.filter(account_id=practitioner.account_id).update(
        post_state_id=post.state_id, post_id=post.id
    )
    return desk


def test_papers_follow_to_another_opd(client: Client, clinic: Clinic, patient: Patient) -> None:
    client.post(f"/people/{patient.id}/papers", {"files": photo()})
    [file] = files()
    held = factories.requested(clinic, patient)
    doctor = factories.on_duty(clinic)
    call_next(factories.doctor(doctor), practitioner=doctor)
    other = factories.ClinicFactory.create()
    moved = redirect(
        factories.doctor(doctor),
        practitioner=doctor,
        state_id=28,
        consultation_id=held.id,
        clinic=clinic_serving(28, clinic_state_id=28, clinic_id=other.id),
        reason="Skin",
    )
    new = f"/consultations/28/{moved.id}/papers"
    assert "rash.jpg" in client.get(new).content.decode()
    # Taken away from the new one, the file stays with the first, whose doctor has seen it.
    client.post(f"{new}/{file.id}/remove")
    assert "rash.jpg" not in client.get(new).content.decode()
    assert files() == [file]
