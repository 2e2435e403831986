"""The pages of families, institutions and papers: accessible, in both languages, at both widths."""

from typing import Any

import pytest
from django.test import Client

from sanjeevani.foundation import clock
from sanjeevani.foundation.ids import uuid7
from sanjeevani.identity.models import Account
from sanjeevani.patients.models import Patient
from tests import factories
from tests.web.looks import LANGUAGES, faults_in
from tests.web.test_papers import photo, scratch

pytestmark = pytest.mark.django_db

__all__ = ["scratch"]


def family(client: Client) -> dict[str, Any]:
    """A mother with a child and a father, and what their pages answer."""
    factories.StateFactory.create()
    factories.SymptomFactory.create()
    clinic = factories.ClinicFactory.create()
    mother = factories.PatientFactory.create(name="Lakshmi Devi")
    account = Account.objects.get(id=mother.account_id)
    factories.sign_in(client, account)
    born = clock.today().replace(year=clock.today().year - 6, day=1)
    child, father = (
        factories.PatientFactory.create(state_id=28, account_id=account.id, **who)
        for who in (
            {"name": "Ravi", "relation": "child", "gender": "male", "birth_date": born},
            {"name": "Ram Prasad", "relation": "parent", "gender": "male", "decides_alone": False},
        )
    )
    factories.ConsentFactory.create(patient=mother, notice_version="2026-11")
    factories.ConsentFactory.create(patient=child)
    factories.RepresentativeFactory.create(patient=child)
    client.post(f"/people/{child.id}/danger", {"sign": "none"})
    client.post(f"/people/{child.id}/trouble", {"text": "Cough", "disabled": "on"})
    client.post(f"/people/{child.id}/papers", {"files": [photo(), photo("report.jpg")]})
    factories.requested(clinic, father)
    home = f"/people/{child.id}"
    twice = {
        "key": str(uuid7()),
        "relation": "child",
        "name": "Ravi",
        "gender": "male",
        "age": "6",
        "age_unit": "years",
        "address": "12 Temple Street",
        "district": "Guntur",
    }
    answers = {
        "people": client.get("/people"),
        "person": client.get(home),
        "person-history": client.get(f"{home}/consultations"),
        "representative": client.get(f"{home}/representatives"),
        "representative-wrong": client.post(f"{home}/representatives", {}),
        "companion": client.get(f"{home}/companion"),
        "same": client.get(f"{home}/same"),
        "leave": client.get(f"{home}/leave"),
        "decisions": client.get(f"{home}/consent/decisions"),
        "consent-again": client.get(f"/people/{mother.id}/consent"),
        "withdraw": client.get(f"/people/{father.id}/consent/withdraw"),
        "trouble": client.get(f"{home}/trouble"),
        "papers": client.get(f"{home}/papers"),
        "papers-wrong": client.post(f"{home}/papers", {}),
        "ask": client.get(f"{home}/opds/28/{clinic.id}"),
        "profile-twice": client.post("/people/add", twice),
    }
    client.post(f"{home}/leave")
    return answers | {"left": client.get("/people/left"), "person-left": client.get(home)}


def institution(client: Client) -> dict[str, Any]:
    """An old-age home with many residents."""
    account = factories.AccountFactory.create()
    factories.sign_in(client, account)
    form = client.get("/institution")
    home = factories.InstitutionFactory.create(account=account)
    empty = client.get("/people")
    Patient.objects.bulk_create(
        factories.PatientFactory.build(
            state_id=28,
            account_id=home.account_id,
            relation="resident",
            name=f"Kamla Bai {number}",
            room=str(number),
            birth_date=clock.today().replace(year=1950, day=1),
        )
        for number in range(60)
    )
    wrong = {"key": str(uuid7()), "name_0": "Kamla", "age_0": "x", "name_1": "Ram", "age_1": "70"}
    return {
        "institution": form,
        "institution-wrong": client.post("/institution", {"name": ""}),
        "no-residents": empty,
        "many-residents": client.get("/people?page=2"),
        "residents": client.get("/institution/residents?added=8"),
        "residents-wrong": client.post("/institution/residents", wrong),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits(language: str) -> None:
    answers: dict[str, Any] = {}
    for pages in (family, institution):
        client = Client()
        client.cookies["language"] = language
        answers |= pages(client)
    for name, answer in answers.items():
        assert answer.status_code in (200, 409, 422), (name, answer.status_code)
    assert faults_in(answers, language) == []
