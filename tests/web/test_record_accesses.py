"""A family reads who has looked at a record; a state's administrator too, and is on the list."""

import datetime
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sanjeevani.consultation.models import Consultation
from sanjeevani.consultation.queries import for_practitioner
from sanjeevani.consultation.record_accesses import READ_ACCESSES, Act, accesses_to
from sanjeevani.directory.models import Facility, Post, Practitioner, Role
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.verbs import concern_of, write_audit
from sanjeevani.identity.models import Account
from sanjeevani.patients.models import Patient
from sanjeevani.patients.services import join
from sanjeevani.patients.spokes import take_in
from tests import factories
from tests.api.caller import caller_of
from tests.notifications.test_handlers import Moment
from tests.web.public_world import administrator

pytestmark = pytest.mark.django_db


class Looked:
    """A patient whom a doctor of another state has seen, and a health worker received before."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        for code in (0, 28, 33):
            factories.StateFactory.create(lgd_code=code)
        self.account = factories.AccountFactory.create()
        self.patient: Patient = factories.PatientFactory.create(
            account=self.account, name="Meena Devi"
        )
        spoke: Facility = factories.FacilityFactory.create(is_spoke=True, name="Kollur centre")
        take_in(factories.worker_at(spoke), patient_id=self.patient.id)
        moment.wait(days=1)
        clinic = factories.ClinicFactory.create()
        self.practitioner: Practitioner = factories.on_duty(clinic, state_id=33, name="Dr Asha Rao")
        self.post: Post = factories.PostFactory.create(
            practitioner=self.practitioner,
            facility=factories.FacilityFactory.create(state_id=33, name="Salem hospital"),
        )
        self.held: Consultation = factories.requested(clinic, self.patient)
        self.look()

    @property
    def doctor(self) -> Actor:
        """The doctor, in a post of the other state."""
        return Actor(
            ActorKind.STAFF,
            account_id=self.practitioner.account_id,
            post_id=self.post.id,
            state_id=33,
        )

    def write(self, verb: str, actor: Actor | None = None, **more: Any) -> None:
        """Something is done with the consultation."""
        concern = concern_of(self.held, patient_id=self.patient.id, **more)
        write_audit(actor or self.doctor, verb, concern)
        self.moment.wait(minutes=1)

    def look(self) -> None:
        """The doctor reads several times, and prescribes."""
        Consultation.objects.filter(state_id=28, id=self.held.id).update(
            practitioner_id=self.practitioner.id
        )
        for _time in range(3):
            for_practitioner(self.doctor, self.practitioner, 28, self.held.id)
            self.moment.wait(minutes=1)
        self.write("prescription.sign")


@pytest.fixture
def looked() -> Iterator[Looked]:
    """On two days of June."""
    moment = Moment()
    with clock.driven_by(lambda: moment.now):
        yield Looked(moment)


def test_each_of_the_staff_stands_once_a_day_in_words(looked: Looked, client: Client) -> None:
    factories.sign_in(client, looked.account)
    person = client.get(f"/people/{looked.patient.id}").content.decode()
    address = f"/people/{looked.patient.id}/accesses"
    assert f'href="{address}"' in person
    page = client.get(address).content.decode()
    assert "<strong>Dr Asha Rao</strong>, Doctor, Salem hospital" in page
    assert "read the record, wrote or changed a prescription" in page
    assert "10:00 am – 10:03 am" in page
    assert "<strong>Health worker</strong>, Kollur centre" in page
    assert "entered or changed details" in page
    assert page.index("Dr Asha Rao") < page.index("Health worker")
    # What the family did itself, and the names of verbs, stand nowhere.
    assert page.count("<strong>") == 2
    assert "consultation.read" not in page
    assert "Without leave" not in page
    looked.write("consultation.read", break_glass=True)
    assert "Without leave, in an emergency" in client.get(address).content.decode()


def test_nobody_reads_the_list_of_another_family(looked: Looked, client: Client) -> None:
    stranger = factories.AccountFactory.create()
    factories.sign_in(client, stranger)
    assert client.get(f"/people/{looked.patient.id}/accesses").status_code == 404
    answer = caller_of(stranger).send("GET", f"/profiles/{looked.patient.id}/accesses")
    assert answer.status_code == 404


def test_a_record_that_nobody_opened(looked: Looked, client: Client) -> None:
    new = factories.PatientFactory.create(account_id=looked.account.id, name="Ravi")
    factories.sign_in(client, looked.account)
    assert "Nobody yet" in client.get(f"/people/{new.id}/accesses").content.decode()


def test_both_records_of_one_person_count(looked: Looked) -> None:
    kept = factories.PatientFactory.create(account_id=looked.account.id, name="Meena")
    join(factories.person(looked.account.id), patient_id=looked.patient.id, kept_id=kept.id)
    assert len(accesses_to(kept, 10)) == 2


def test_who_had_a_link_is_nobody_by_name(looked: Looked) -> None:
    looked.write("documents.open_link", Actor(ActorKind.ANONYMOUS))
    newest = accesses_to(looked.patient, 1)[0]
    assert (newest.acts, newest.post, newest.doctor) == ([Act.LINK], None, "")


def test_it_goes_on_part_by_part(
    looked: Looked, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sanjeevani.web.patient.families.SHOWN", 1)
    factories.sign_in(client, looked.account)
    address = f"/people/{looked.patient.id}/accesses"
    first = client.get(address).content.decode()
    assert ("Dr Asha Rao" in first, "Kollur" in first) == (True, False)
    older = accesses_to(looked.patient, 1)[0].id
    assert f"?before={older}" in first
    second = client.get(f"{address}?before={older}").content.decode()
    assert ("Dr Asha Rao" in second, "Kollur" in second) == (False, True)
    assert "Show older" not in second
    assert client.get(f"{address}?before=%00").status_code == 200


def test_an_app_reads_it_page_by_page(looked: Looked) -> None:
    app = caller_of(looked.account)
    path = f"/profiles/{looked.patient.id}/accesses?limit=1"
    first = app.get(path)
    [one] = first["items"]
    assert (one["doctor"], one["role"], one["facility"], one["acts"]) == (
        "Dr Asha Rao",
        "doctor",
        "Salem hospital",
        ["read", "prescribed"],
    )
    second = app.get(f"{path}&cursor={first['next']}")
    assert (second["items"][0]["doctor"], second["items"][0]["role"]) == ("", "health_worker")
    assert second["next"] is None


def test_one_statement_by_the_index_however_much_there_is(looked: Looked) -> None:
    at = clock.now()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            state_id=28,
            id=uuid.uuid4(),
            at=at - datetime.timedelta(minutes=number),
            verb="consultation.read",
            actor_kind=ActorKind.STAFF,
            post_id=looked.post.id,
            record_type="consultation",
            record_id=looked.held.id,
            patient_id=uuid.uuid4(),
        )
        for number in range(5000)
    )
    with CaptureQueriesContext(connection) as asked:
        assert len(accesses_to(looked.patient, 20)) == 2
    [trail] = [one["sql"] for one in asked if "foundation_auditevent" in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {trail}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "audit_by_patient" in plan
    assert "Seq Scan on foundation_auditevent" not in plan


def found(client: Client, number: str, state_id: int = 28) -> Any:
    """An administrator searches."""
    return client.post(f"/states/{state_id}/records", {"number": number})


def test_an_administrator_finds_one_by_an_exact_number_and_is_on_the_list(
    looked: Looked, client: Client
) -> None:
    administrator(Role.STATE_ADMIN, 28, client)
    assert "/states/28/records" in client.get("/states/28").content.decode()
    address = f"/states/28/records/{looked.patient.id}"
    account = Account.objects.get(id=looked.account.id)
    for number in (account.mobile, str(looked.held.id)):
        assert found(client, number).headers["Location"] == address
    page = client.get(address).content.decode()
    assert "Dr Asha Rao" in page
    assert "looked at this list" in page
    assert AuditEvent.objects.filter(
        state_id=28, verb=READ_ACCESSES, patient_id=looked.patient.id
    ).exists()
    own = Client()
    factories.sign_in(own, account)
    seen = own.get(f"/people/{looked.patient.id}/accesses").content.decode()
    assert "<strong>State administrator</strong>" in seen
    assert "found it in a search, looked at this list" in seen


def test_of_several_under_one_mobile_one_is_chosen(looked: Looked, client: Client) -> None:
    factories.PatientFactory.create(account_id=looked.account.id, name="Ravi")
    administrator(Role.STATE_ADMIN, 28, client)
    page = found(client, Account.objects.get(id=looked.account.id).mobile).content.decode()
    assert "Meena Devi" in page
    assert "Ravi" in page


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        ("", 422, "Write the number."),
        ("12", 422, "10 digits"),
        ("Meena Devi", 422, ""),
        ("9876500000", 200, "No patient of this state has this number"),
        (str(uuid.UUID(int=1)), 200, "No patient of this state has this number"),
        ("x" * 32, 422, "There is no such number."),
    ],
)
def test_what_finds_nobody(
    looked: Looked, client: Client, number: str, status: int, words: str
) -> None:
    administrator(Role.STATE_ADMIN, 28, client)
    answer = found(client, number)
    assert answer.status_code == status
    assert words in answer.content.decode()


def test_other_states_and_roles_find_nobody(looked: Looked, client: Client) -> None:
    administrator(Role.STATE_ADMIN, 33, client)
    address = f"/states/28/records/{looked.patient.id}"
    number = str(looked.held.id)
    assert (found(client, number).status_code, client.get(address).status_code) == (403, 403)
    assert "No patient" in found(client, number, 33).content.decode()
    assert client.get(f"/states/33/records/{looked.patient.id}").status_code == 404
    facility = Client()
    administrator(Role.FACILITY_ADMIN, 28, facility, factories.FacilityFactory.create())
    assert facility.get("/states/28/records").status_code == 403
    assert not AuditEvent.objects.filter(state_id=28, verb=READ_ACCESSES).exists()
