"""A record is read in another state through what concerns the reader; each reading is audited."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.letters import LetterContent, write_letter
from sanjeevani.consultation.models import Consultation, Urgency
from sanjeevani.directory.models import Role
from sanjeevani.documents.models import UploadedFile
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.sharding import across_states
from sanjeevani.patients.models import Patient
from sanjeevani.web.access import SESSION_COOKIE
from tests import factories
from tests.factories import TAMIL_NADU
from tests.structure.test_permissions import opens
from tests.structure.test_routes import routes
from tests.structure.verb_walk import in_post
from tests.web.test_asking import Asking
from tests.web.test_counter import LIST, Counter
from tests.web.test_papers import photo, scratch
from tests.web.test_spoke import Spoke

pytestmark = pytest.mark.django_db

__all__ = ["scratch"]

GOVERNING = (Role.FACILITY_ADMIN, Role.STATE_ADMIN, Role.NATIONAL_ADMIN, Role.OBSERVER)
"""Whom no consultation concerns: they run a service or look at its figures."""

TEXT = LetterContent("District Hospital", Urgency.ROUTINE, "X-ray")


def there(**facility: Any) -> Any:
    """A facility of the other state."""
    factories.StateFactory(lgd_code=TAMIL_NADU)
    return factories.FacilityFactory.create(state_id=TAMIL_NADU, **facility)


def strangers() -> list[Client]:
    """Browsers of everybody in the other state whom nothing concerns."""
    found = []
    for facility in (there(), there(is_spoke=True)):
        for role in Role:
            found.append(Client())
            factories.enter(found[-1], in_post(facility, role).actor)
    return found


def asked_for(client: Client, address: str) -> Any:
    """Read a page, or by JSON with the session's token and no cookie."""
    if not address.startswith("/api/"):
        return client.get(address)
    token = client.cookies[SESSION_COOKIE].value
    return Client().get(address, headers={"Authorization": f"Bearer {token}"})


def trail(patient: Patient) -> list[AuditEvent]:
    """What the audit trail says of a patient, in all states."""
    with across_states():
        return list(AuditEvent.objects.filter(patient_id=patient.id).order_by("at", "id"))


def assert_invisible(patient: Patient, addresses: Iterable[str]) -> None:
    """Nobody of the other state reads anything, and nothing looks as if somebody had."""
    before = len(trail(patient))
    for client in strangers():
        for address in addresses:
            answer = asked_for(client, address)
            assert answer.status_code in (403, 404), (address, answer.status_code)
            assert patient.name not in answer.content.decode(), address
    assert len(trail(patient)) == before


def assert_audited(
    client: Client, reader: Any, patient: Patient, reads: dict[str, tuple[str, Any]]
) -> None:
    """Each address is read, with one row that says who read what of whom."""
    for address, (verb, record) in reads.items():
        before = len(trail(patient))
        answer = asked_for(client, address)
        assert answer.status_code == 200, (address, answer.status_code)
        rows = [
            (row.verb, row.record_type, row.record_id, row.account_id)
            for row in trail(patient)[before:]
        ]
        assert rows == [(verb, record._meta.model_name, record.id, reader)], address


@pytest.fixture
def _kept(reference: None) -> None:
    there()


@pytest.mark.usefixtures("_kept")
def test_a_doctor_of_another_state_reads_what_they_hold(client: Client) -> None:
    counter = Counter(client, state_id=TAMIL_NADU)
    held, holder = counter.held, counter.doctor
    client.post(f"{counter.page}/papers", {"files": photo()})
    paper = UploadedFile.objects.get(state_id=28)
    write_letter(factories.doctor(holder), practitioner=holder, consultation=held, content=TEXT)
    patient = Patient.objects.get(state_id=28)
    one = f"/desk/consultations/28/{held.id}"
    of_api = f"/api/v1/staff/consultations/28/{held.id}"
    read = ("consultation.read", Consultation(state_id=28, id=held.id))
    reads: dict[str, tuple[str, Any]] = dict.fromkeys(
        (
            one,
            *(f"{one}/{page}" for page in ("messages", "papers", "letter", "prescription", "asks")),
            *(f"{of_api}{page}" for page in ("", "/messages", "/letter.pdf", "/destinations")),
        ),
        read,
    )
    reads[f"{one}/papers/{paper.id}"] = ("consultation.read_paper", paper)
    of_patient = [
        f"{counter.page}{page}"
        for page in ("", "/status", "/papers", "/prescription.pdf", "/letter.pdf", "/plan", "/slip")
    ]
    assert_invisible(
        patient, [*reads, *of_patient, f"/people/{patient.id}", counter.address, f"{one}/seat"]
    )
    assert_audited(counter.desk, holder.account_id, patient, reads)


@pytest.mark.usefixtures("_kept")
def test_a_specialist_of_another_state_reads_what_they_are_asked_into(client: Client) -> None:
    asking = Asking(client, state_id=TAMIL_NADU)
    client.post(f"{asking.page}/papers", {"files": photo()})
    paper = UploadedFile.objects.get(state_id=28)
    patient = Patient.objects.get(state_id=28)
    page = asking.ask()
    read = ("consultation.read", asking.held)
    reads = {
        page: read,
        f"{page}/notes": read,
        f"{page}/state": read,
        f"{page}/papers/{paper.id}": ("consultation.read_paper", paper),
    }
    assert_invisible(patient, [*reads, asking.one, f"{asking.one}/papers/{paper.id}"])
    account_id = asking.colleague.account_id
    assert_audited(asking.guest, account_id, patient, reads)
    for beyond in (asking.one, f"{asking.one}/papers", f"{asking.one}/papers/{paper.id}"):
        assert asking.guest.get(beyond).status_code == 404, beyond


@pytest.mark.usefixtures("_kept")
def test_a_pharmacist_of_another_state_reads_what_they_are_shown(client: Client) -> None:
    counter = Counter(client)
    patient = Patient.objects.get(state_id=28)
    addresses = (counter.address, f"{counter.address}/slip")
    assert_invisible(patient, addresses)
    pharmacist = Client()
    actor = factories.worker_at(there(is_spoke=True), Role.PHARMACIST)
    factories.enter(pharmacist, actor)
    before = len(trail(patient))
    assert pharmacist.post(LIST, {"shown": counter.signed.number}).status_code == 303
    [row] = trail(patient)[before:]
    assert (row.verb, row.account_id) == ("prescription.look_up", actor.account_id)
    read = ("prescription.read_at_counter", counter.signed)
    assert_audited(pharmacist, actor.account_id, patient, dict.fromkeys(addresses, read))


@pytest.mark.verify
@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("doctor", ["pool", "later"])
def test_no_screen_names_who_waits_to_whom_it_does_not_concern(client: Client, doctor: str) -> None:
    """Desks, inboxes, boards, a state's and the nation's pages: who waits there is a number."""
    spoke = Spoke(client)
    there_or_here = [(there(is_spoke=True), role) for role in Role]
    there_or_here += [
        (facility, role) for facility in (spoke.hub, spoke.facility) for role in GOVERNING
    ]
    patient = spoke.ready(mobile="9848012345")
    spoke.ask(patient, doctor=doctor)
    waits = Consultation.objects.get(state_id=28)
    before = len(trail(patient))
    seen = 0
    for facility, role in there_or_here:
        reader = Client()
        factories.enter(reader, in_post(facility, role).actor)
        named = {
            "state_id": 28,
            "facility_id": facility.id,
            "patient_id": patient.id,
            "consultation_id": waits.id,
            "line_id": waits.line_id,
        }
        for route in routes(named=named):
            if "sign-out" in route.path or not opens(route.permission, role):
                continue
            answer = asked_for(reader, route.path)
            seen += answer.status_code == 200
            shown = b"" if answer.streaming else answer.content
            for word in (patient.name, "98480", "High every evening"):
                assert word.encode() not in shown, (role, route.path, word)
    assert seen > 200
    assert len(trail(patient)) == before
