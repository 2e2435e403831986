"""At a spoke a mistyped mobile lets nobody read about a stranger; its owner has to agree."""

import dataclasses
import re
import uuid
from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.mobiles import give_mobile
from sanjeevani.consultation.models import Consultation, ToDoKind
from sanjeevani.consultation.queries import own_consultations
from sanjeevani.consultation.services import cancel
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.foundation.ids import uuid7
from sanjeevani.identity.errors import CodeDead, WrongCode
from sanjeevani.identity.models import Account
from sanjeevani.identity.services import CodePurpose, request_told_code
from sanjeevani.patients.errors import AlreadyRegistered
from sanjeevani.patients.mobiles import MobileOf, mobile_of, send_mobile_code
from sanjeevani.patients.models import Patient, SpokePatient
from sanjeevani.patients.queries import own_patient, patients_of
from sanjeevani.patients.services import join
from sanjeevani.patients.spokes import Sought, find_patients, register_at_spoke, take_in
from sanjeevani.prescription.to_do import to_dos_at
from tests import factories
from tests.identity.conftest import unlimited
from tests.identity.helpers import sent_code
from tests.patients.test_families import MEENA
from tests.web.test_spoke import Spoke

__all__ = ["unlimited"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unlimited", "reference")]
MOBILE = "+919848012345"
KEY = uuid.UUID("0190a6b5-7c1e-7000-8000-0000000000aa")


@pytest.fixture
def spoke(client: Client) -> Spoke:
    return Spoke(client)


@pytest.fixture
def family() -> Account:
    """A family that reads on the mobile, with one person on its list."""
    account: Account = factories.AccountFactory(mobile=MOBILE, login=MOBILE)
    factories.PatientFactory(account_id=account.id, name="Ravi")
    return account


def registered(spoke: Spoke, **changes: Any) -> Patient:
    told: dict[str, Any] = {"profile": MEENA, "language": "en", "key": KEY, "mobile": MOBILE}
    return register_at_spoke(spoke.worker, **(told | changes))


def on_the_list(account: Account) -> list[str]:
    return [one.name for one in patients_of(factories.person(account.id))]


def told_code(spoke: Spoke, patient: Patient, mobile: str = MOBILE) -> dict[str, Any]:
    """Send a code to the mobile, and let its owner read it to the staff."""
    challenge = send_mobile_code(spoke.worker, patient_id=patient.id, mobile=mobile)
    return {"patient_id": patient.id, "challenge": challenge, "code": sent_code(mobile)}


def test_a_mobile_that_somebody_reads_on_is_only_kept_as_told(
    spoke: Spoke, family: Account
) -> None:
    patient = registered(spoke)
    assert on_the_list(family) == ["Ravi"]
    with pytest.raises(NotFound):
        own_patient(factories.person(family.id), patient.id)
    assert mobile_of(spoke.worker, patient) == MobileOf("", MOBILE, may_change=True)
    assert registered(spoke) == patient
    found = find_patients(spoke.worker, Sought(mobile=MOBILE))
    assert [one.name for one in found] == ["Ravi", MEENA.name]


def test_once_its_owner_agrees_they_read_all_of_it(spoke: Spoke, family: Account) -> None:
    before = spoke.waits(mobile=MOBILE)
    patient = Patient.objects.get(state_id=28, name="Sita Devi")
    double = factories.PatientFactory(account_id=patient.account_id, same_as_id=patient.id)
    owner = factories.person(family.id)
    assert own_consultations(owner, 10) == []
    told = told_code(spoke, patient)
    with pytest.raises(WrongCode):
        give_mobile(spoke.worker, **told | {"code": f"{(int(told['code']) + 1) % 10**6:06}"})
    assert on_the_list(family) == ["Ravi"]
    give_mobile(spoke.worker, **told)
    give_mobile(spoke.worker, **told)
    assert on_the_list(family) == ["Ravi", "Sita Devi"]
    double.refresh_from_db()
    assert double.account_id == family.id
    [consultation] = own_consultations(owner, 10)
    assert str(consultation.id) in before
    assert consultation.patient_account_id == family.id
    assert not SpokePatient.objects.filter(state_id=28).exclude(told_mobile="").exists()
    patient.refresh_from_db()
    assert mobile_of(spoke.worker, patient) == MobileOf(MOBILE, "", may_change=False)


def test_a_form_that_is_sent_again_registers_nobody_twice(spoke: Spoke, family: Account) -> None:
    """Before its owner agrees, after, and when they came in between two answers."""
    patient = registered(spoke)
    give_mobile(spoke.worker, **told_code(spoke, patient))
    assert registered(spoke) == patient
    other = registered(spoke, mobile="+919848000001", key=uuid7(), is_another=True)
    assert other.registration_key is not None
    Account.objects.filter(mobile="+919848000001").update(last_entered_at=other.registered_at)
    assert registered(spoke, mobile="+919848000001", key=other.registration_key) == other


def test_a_family_that_came_together_shares_its_new_mobile(spoke: Spoke) -> None:
    mother = registered(spoke)
    child = registered(spoke, key=uuid7(), profile=dataclasses.replace(MEENA, name="Asha"))
    assert child.account_id == mother.account_id
    assert Account.objects.get(id=child.account_id).mobile == MOBILE


def test_who_was_registered_elsewhere_is_not_joined_by_a_number_alone(spoke: Spoke) -> None:
    account = factories.AccountFactory(mobile=MOBILE, login=MOBILE, last_entered_at=None)
    factories.PatientFactory(account_id=account.id, name="Ravi")
    patient = registered(spoke)
    assert patient.account_id != account.id
    give_mobile(spoke.worker, **told_code(spoke, patient))
    patient.refresh_from_db()
    assert patient.account_id == account.id


def test_who_is_on_the_mobiles_list_already_is_offered(spoke: Spoke, family: Account) -> None:
    at_home = factories.PatientFactory(
        account_id=family.id, name=MEENA.name, gender=MEENA.gender, birth_date=MEENA.birth_date
    )
    with pytest.raises(AlreadyRegistered) as refused:
        registered(spoke)
    assert refused.value.alike == at_home
    first = registered(spoke, is_another=True)
    Patient.objects.filter(state_id=28, id=at_home.id).update(name="Somebody else")
    with pytest.raises(AlreadyRegistered) as refused:
        registered(spoke, key=uuid7())
    assert refused.value.alike == first


def test_nobody_is_taken_from_the_list_of_who_signs_in(spoke: Spoke, family: Account) -> None:
    ravi = Patient.objects.get(state_id=28, name="Ravi")
    with pytest.raises(NotFound):
        send_mobile_code(spoke.worker, patient_id=ravi.id, mobile="+919848000001")
    take_in(spoke.worker, patient_id=ravi.id)
    with pytest.raises(Invalid):
        send_mobile_code(spoke.worker, patient_id=ravi.id, mobile="+919848000001")
    given = request_told_code(
        spoke.worker, mobile="+919848000001", language="en", purpose=CodePurpose.MOBILE
    )
    with pytest.raises(Invalid):
        give_mobile(
            spoke.worker, patient_id=ravi.id, challenge=given, code=sent_code("+919848000001")
        )


def test_a_wrong_number_that_nobody_uses_is_mended(spoke: Spoke) -> None:
    wrong = registered(spoke, mobile="+919848000001")
    give_mobile(spoke.worker, **told_code(spoke, wrong))
    wrong.refresh_from_db()
    assert Account.objects.get(id=wrong.account_id).mobile == MOBILE


@pytest.mark.parametrize("purpose", [CodePurpose.SIGN_IN, CodePurpose.PRESENCE])
def test_a_code_for_something_else_joins_nobody(
    spoke: Spoke, family: Account, purpose: CodePurpose
) -> None:
    patient = registered(spoke)
    challenge = request_told_code(spoke.worker, mobile=MOBILE, language="en", purpose=purpose)
    with pytest.raises((WrongCode, CodeDead)):
        give_mobile(
            spoke.worker, patient_id=patient.id, challenge=challenge, code=sent_code(MOBILE)
        )
    assert on_the_list(family) == ["Ravi"]


def test_a_family_at_home_in_another_state_is_not_joined(spoke: Spoke, family: Account) -> None:
    Account.objects.filter(id=family.id).update(home_state_id=33)
    patient = registered(spoke)
    with pytest.raises(Invalid) as refused:
        give_mobile(spoke.worker, **told_code(spoke, patient))
    assert "another state" in str(refused.value.message)


def test_the_staff_ring_back_on_the_mobile_that_was_told(spoke: Spoke, family: Account) -> None:
    spoke.waits(mobile=MOBILE)
    [consultation] = Consultation.objects.filter(state_id=28)
    cancel(spoke.worker, state_id=28, consultation_id=consultation.id)
    [to_do], _done = to_dos_at(28, spoke.facility.id)
    assert (to_do.kind, to_do.mobile) == (ToDoKind.CALL_BACK, MOBILE)


def test_the_pages_ask_for_the_code_and_go_on_without(
    spoke: Spoke, family: Account, client: Client
) -> None:
    asked = spoke.register(mobile=MOBILE).headers["Location"]
    patient = Patient.objects.get(state_id=28, name="Sita Devi")
    assert asked == f"/spoke/patients/{patient.id}/mobile"
    page = client.get(asked).content.decode()
    assert "Others use this number already" in page
    assert f"/people/{patient.id}/consent" in page
    assert "Ravi" not in page
    assert asked in client.get(f"/people/{patient.id}").content.decode()
    wrong = client.post(asked, {"do": "send", "mobile": "12"})
    assert wrong.status_code == 422
    sent = client.post(asked, {"do": "send", "mobile": MOBILE})
    [challenge] = re.findall(r'name="challenge" value="([^"]+)"', sent.content.decode())
    told = {"do": "code", "mobile": MOBILE, "challenge": challenge}
    assert client.post(asked, told | {"code": "12"}).status_code == 422
    done = client.post(asked, told | {"code": sent_code(MOBILE)})
    assert done.headers["Location"] == f"/people/{patient.id}"
    assert on_the_list(family) == ["Ravi", "Sita Devi"]
    assert "Somebody signs in with it" in client.get(asked).content.decode()


def test_a_double_on_the_same_list_can_be_joined_afterwards(spoke: Spoke, family: Account) -> None:
    patient = registered(spoke)
    give_mobile(spoke.worker, **told_code(spoke, patient))
    ravi = Patient.objects.get(state_id=28, name="Ravi")
    join(factories.person(family.id), patient_id=patient.id, kept_id=ravi.id)
    assert on_the_list(family) == ["Ravi"]
