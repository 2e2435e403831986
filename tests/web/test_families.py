"""Families and institutions on their pages, with what people get wrong."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from sanjeevani.consultation.services import call_next
from sanjeevani.foundation import clock
from sanjeevani.identity.models import Account
from sanjeevani.patients.consent import CURRENT_NOTICE
from sanjeevani.patients.models import Consent, Institution, Patient
from sanjeevani.web.patient.forms import months_before
from tests import factories
from tests.web.test_patient_bad_input import PROFILE

pytestmark = pytest.mark.django_db

HOME = {
    "name": "Shanti Niketan",
    "kind": "old_age_home",
    "address": "Canal Road",
    "district": "Guntur",
    "area": "rural",
    "responsible_name": "Sister Teresa",
    "responsible_role": "Warden",
}


@pytest.fixture
def account(client: Client) -> Account:
    """An account with a session."""
    account: Account = factories.AccountFactory.create()
    factories.sign_in(client, account)
    return account


@pytest.fixture
def home(account: Account) -> Institution:
    """Its institution."""
    home: Institution = factories.InstitutionFactory.create(account=account)
    return home


def test_the_last_of_the_list_can_be_put_back_and_waits_on_meanwhile(
    client: Client, account: Account
) -> None:
    clinic = factories.ClinicFactory.create()
    patient = factories.PatientFactory.create(account_id=account.id)
    held = factories.requested(clinic, patient)
    client.post(f"/people/{patient.id}/leave")
    page = client.get("/people")
    assert page.status_code == 200
    assert f"/consultations/28/{held.id}" in page.content.decode()
    assert "Nobody is on your list now" in page.content.decode()
    assert 'href="/people/left" role="button"' in page.content.decode()


def rows(*people: tuple[str, str, str, str], **more: str) -> dict[str, str]:
    """The form of a sitting: (name, gender, age, room) each."""
    form = {"key": str(uuid.uuid4())}
    for number, (name, gender, age, room) in enumerate(people):
        form |= {
            f"name_{number}": name,
            f"gender_{number}": gender,
            f"age_{number}": age,
            f"unit_{number}": "years",
            f"room_{number}": room,
        }
    return form | more


def test_an_institution_and_its_residents(client: Client, account: Account) -> None:
    assert "/institution" in client.get("/people/add").content.decode()
    wrong = client.post("/institution", HOME | {"area": "", "responsible_name": "123"})
    assert wrong.status_code == 422
    assert "Canal Road" in wrong.content.decode()
    assert client.post("/institution", HOME).headers["Location"] == "/institution/residents"
    assert Institution.objects.get(state_id=28, account_id=account.id).area == "rural"
    sitting = rows(("राम सिंह", "male", "७२", "4"), ("Kamla Bai", "female", "80", ""))
    for _again in range(2):
        answer = client.post("/institution/residents", sitting | {"then": "more"})
        assert answer.headers["Location"] == "/institution/residents?added=2"
    assert Patient.objects.filter(state_id=28, account_id=account.id).count() == 2
    resident = Patient.objects.get(state_id=28, account_id=account.id, name="राम सिंह")
    assert resident.address == "Shanti Niketan, Canal Road"
    page = client.get("/people").content.decode()
    assert "Room 4" in page
    edited = client.post(
        f"/people/{resident.id}/edit", PROFILE | {"name": "राम सिंह", "age": "73", "room": "5"}
    )
    assert edited.status_code == 303
    resident.refresh_from_db()
    assert (resident.relation, resident.room) == ("resident", "5")


def test_correcting_an_address_makes_nobody_younger(client: Client, account: Account) -> None:
    born = months_before(clock.today(), 17 * 12 + 11)
    child = factories.PatientFactory(
        account_id=account.id, birth_date=born, birth_date_is_estimated=True
    )
    form = PROFILE | {"relation": "child", "age": "17", "address": "New Colony"}
    assert client.post(f"/people/{child.id}/edit", form).status_code == 303
    child.refresh_from_db()
    assert (child.address, child.birth_date) == ("New Colony", born)
    assert client.post(f"/people/{child.id}/edit", form | {"age": "१६"}).status_code == 303
    child.refresh_from_db()
    assert child.birth_date == months_before(clock.today(), 16 * 12)


def test_a_state_tapped_by_mistake_is_chosen_again_until_somebody_is_registered(
    client: Client,
) -> None:
    wrong, right = factories.StateFactory(lgd_code=33), factories.StateFactory()
    account = factories.AccountFactory(home_state_id=None)
    factories.sign_in(client, account)
    client.post("/start", {"state": str(wrong.lgd_code)})
    page = client.get("/people/add").content.decode()
    assert wrong.name in page
    assert 'href="/start?change=1"' in page
    assert client.get("/start").headers["Location"] == "/people"
    assert client.get("/start?change=1").status_code == 200
    assert client.post("/start", {"state": str(right.lgd_code)}).status_code == 303
    assert client.post("/people/add", PROFILE).status_code == 303
    assert Patient.objects.get(state_id=28, account_id=account.id)
    assert "/start" not in client.get("/people/add").content.decode()
    assert client.get("/start?change=1").headers["Location"] == "/people"
    assert client.post("/start", {"state": str(wrong.lgd_code)}).headers["Location"] == "/people"
    account.refresh_from_db()
    assert account.home_state_id == right.lgd_code


def test_who_asked_first_of_many_residents_is_still_to_go_on_with(
    client: Client, home: Institution
) -> None:
    """A home asks for more residents in a morning than a page of its history holds."""
    clinic = factories.ClinicFactory(line__waiting_places=99)
    first, *_others = [
        factories.requested(
            clinic, factories.PatientFactory(account_id=home.account_id, relation="resident")
        )
        for _resident in range(52)
    ]
    doctor = factories.on_duty(clinic)
    assert call_next(factories.doctor(doctor), practitioner=doctor).id == first.id
    listed = re.findall(
        r"/consultations/28/([0-9a-f-]{36})", client.get("/people").content.decode()
    )
    assert len(set(listed)) == 52
    assert listed[0] == str(first.id)


def test_nobody_agrees_to_words_that_they_have_not_read(client: Client, account: Account) -> None:
    """A page that stood open, or was kept on a tablet, while the notice changed."""
    person = factories.PatientFactory(account_id=account.id)
    address = f"/people/{person.id}/consent"
    assert f'name="notice" value="{CURRENT_NOTICE}"' in client.get(address).content.decode()
    old = client.post(address, {"notice": "2026-11"})
    assert old.status_code == 409
    assert "words have changed" in old.content.decode()
    assert not Consent.objects.filter(state_id=28).exists()
    assert client.post(address, {"notice": CURRENT_NOTICE}).status_code == 303
    assert Consent.objects.get(state_id=28).notice_version == CURRENT_NOTICE


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([], "Write at least one resident."),
        ([("", "male", "70", "")], "Resident 1: write the name."),
        ([("Ram", "", "70", "")], "Resident 1: choose the gender."),
        ([("Ram", "male", "old", "")], "Resident 1: write the age as a number"),
        ([("Ram", "male", "0", "")], "Resident 1: write the age of a baby in months."),
        ([("Ram", "male", "130", "")], "Resident 1: please check the age."),
        ([("x" * 101, "male", "70", "")], "Resident 1: please shorten the name"),
        ([("Ram", "male", "70", "y" * 21)], "Resident 1: please shorten the room"),
        ([("Ram", "male", "70", ""), ("RAM", "male", "70", "")], "Resident 2: somebody with"),
    ],
)
def test_a_sitting_says_what_is_wrong_and_keeps_all(
    client: Client, home: Institution, people: Any, said: str
) -> None:
    last = ("Kamla Bai", "female", "80", "9")
    answer = client.post("/institution/residents", rows(*people, last) if people else rows())
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(said) == 2
    assert not people or "Kamla Bai" in page
    assert not Patient.objects.filter(state_id=28, account_id=home.account_id).exists()


def test_two_of_the_same_name_are_registered_once_it_is_said(
    client: Client, home: Institution
) -> None:
    pair = rows(("Ram", "male", "70", ""), ("Ram", "male", "70", ""))
    assert client.post("/institution/residents", pair).status_code == 422
    sure = client.post("/institution/residents", pair | {"another_1": "on"})
    assert sure.status_code == 303
    assert Patient.objects.filter(state_id=28, account_id=home.account_id).count() == 2


def test_three_hundred_residents_are_found_in_few_statements(
    client: Client, home: Institution, django_assert_max_num_queries: Any
) -> None:
    Patient.objects.bulk_create(
        factories.PatientFactory.build(
            state_id=28,
            account_id=home.account_id,
            relation="resident",
            name=f"Resident {number:03}",
            room=str(number % 40),
        )
        for number in range(300)
    )
    with django_assert_max_num_queries(7):
        page = client.get("/people").content.decode()
    assert "300 residents" in page
    assert page.count('class="choice"') == 40
    assert len(page.encode()) < 60_000
    assert "Resident 299" in client.get("/people?page=8").content.decode()
    assert "Resident 299" in client.get("/people?page=900").content.decode()
    found = client.get("/people?q=resident+271").content.decode()
    assert "1 resident found" in found
    assert "Resident 271" in found
    by_room = client.get("/people?q=39").content.decode()
    assert "Resident 039" in by_room
    nothing = client.get("/people", {"q": "%" * 300})
    assert nothing.status_code == 200
    assert "0 residents found" in nothing.content.decode()


def test_a_child_of_the_home_is_with_the_responsible_person(
    client: Client, home: Institution
) -> None:
    child = factories.PatientFactory.create(
        state_id=28,
        account_id=home.account_id,
        relation="resident",
        birth_date=clock.today().replace(year=clock.today().year - 9, day=1),
    )
    factories.SymptomFactory.create()
    factories.StateFactory.create()
    clinic = factories.ClinicFactory.create()
    factories.ConsentFactory.create(patient=child)
    client.post(f"/people/{child.id}/danger", {"sign": "none"})
    client.post(f"/people/{child.id}/trouble", {"text": "Cough"})
    page = client.get(f"/people/{child.id}/opds/28/{clinic.id}").content.decode()
    assert "Sister Teresa" in page


def test_the_same_person_twice_on_the_page(client: Client, account: Account) -> None:
    key = {"key": str(uuid.uuid4())}
    first = client.post("/people/add", PROFILE | key).headers["Location"]
    assert client.post("/people/add", PROFILE | key).headers["Location"] == first
    asked = client.post("/people/add", PROFILE | {"key": str(uuid.uuid4())})
    assert asked.status_code == 409
    assert first in asked.content.decode()
    assert "12 Temple Street" in asked.content.decode()
    sure = client.post("/people/add", PROFILE | {"key": str(uuid.uuid4()), "another": "1"})
    assert sure.status_code == 303
    one, two = Patient.objects.filter(state_id=28, account_id=account.id).order_by("id")
    page = client.get(f"/people/{two.id}/same").content.decode()
    assert str(one.id) in page
    joined = client.post(f"/people/{two.id}/same", {"kept": str(one.id)})
    assert joined.headers["Location"] == f"/people/{one.id}"
    assert "the same person as" in client.get(f"/people/{two.id}").content.decode()
    for wrong in ("", "x", str(uuid.uuid4())):
        assert client.post(f"/people/{one.id}/same", {"kept": wrong}).status_code == 422
    client.post(f"/people/{two.id}/back")
    assert client.get("/people").content.decode().count(f"/people/{two.id}/consent") == 1


def test_leaving_the_list_and_coming_back(client: Client, account: Account) -> None:
    patient = factories.PatientFactory.create(state_id=28, account_id=account.id, name="Asha Rani")
    home = f"/people/{patient.id}"
    assert "kept, as the law asks" in client.get(f"{home}/leave").content.decode()
    client.post(f"{home}/leave")
    assert "Asha Rani" not in client.get("/people").content.decode()
    assert client.get(f"{home}/danger").status_code == 404
    assert "Asha Rani" in client.get("/people/left").content.decode()
    client.post(f"{home}/back")
    assert "Asha Rani" in client.get("/people").content.decode()


def test_naming_and_ending_a_representative(client: Client, account: Account) -> None:
    patient = factories.PatientFactory.create(state_id=28, account_id=account.id)
    address = f"/people/{patient.id}/representatives"
    named = {"name": "Savita", "bond": "sibling", "may": ["collect"], "mobile": "98123 45678"}
    for wrong, said in (
        ({"name": ""}, "Full name"),
        ({"may": []}, "Choose what this person may do."),
        ({"mobile": "123"}, "10 digits"),
        ({"bond": "institution"}, "Choose one of the answers"),
        (
            {"until_day": "1", "until_month": "1", "until_year": "2020"},
            "This day has passed.",
        ),
    ):
        answer = client.post(address, named | wrong)
        assert answer.status_code == 422, wrong
        assert said in answer.content.decode()
    assert client.post(address, named).status_code == 303
    page = client.get(f"/people/{patient.id}").content.decode()
    assert "98123 45678" in page
    revoke = re.search(r'action="([^"]+/revoke)"', page)
    assert revoke
    client.post(revoke[1])
    assert "Savita" not in client.get(f"/people/{patient.id}").content.decode()


def test_what_was_agreed_to_is_kept_and_a_new_notice_says_so(
    client: Client, account: Account
) -> None:
    patient = factories.PatientFactory.create(state_id=28, account_id=account.id)
    home = f"/people/{patient.id}"
    factories.ConsentFactory.create(patient=patient, notice_version="2026-11")
    assert "Its words have changed" in client.get(f"{home}/consent").content.decode()
    client.post(f"{home}/consent")
    page = client.get(f"{home}/consent/decisions").content.decode()
    assert "Notice 2026-11" in page
    assert "Notice 2026-12" in page
    assert "the photos and papers that you add" in page


def test_many_consultations_are_turned_page_by_page(client: Client, account: Account) -> None:
    clinic = factories.ClinicFactory.create()
    patient = factories.PatientFactory.create(state_id=28, account_id=account.id)
    for _one in range(22):
        held = factories.requested(clinic, patient)
        client.post(f"/consultations/28/{held.id}/cancel")
    for address in ("/consultations", f"/people/{patient.id}/consultations"):
        page = client.get(address).content.decode()
        older = re.search(r'href="(\?before=[^"]+)"', page)
        assert page.count('class="choice"') == 20
        assert older
        assert client.get(address + older[1]).content.decode().count('class="choice"') == 2
        assert client.get(f"{address}?before=x").status_code == 200
