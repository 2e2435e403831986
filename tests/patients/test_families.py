"""Families, institutions, doubles, representatives and who is with whom, on real tables."""

import datetime
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.consultation.errors import ConsentMissing
from sanjeevani.consultation.models import ConsultationStatus
from sanjeevani.consultation.queries import own_consultations
from sanjeevani.consultation.services import call_next, get, withdraw_consent
from sanjeevani.consultation.services import request as request_consultation
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.foundation.ids import uuid7
from sanjeevani.intake.queries import intake_of
from sanjeevani.patients.companions import (
    companions_of,
    identified,
    last_day_as_minor,
    needs_companion,
    representatives_of,
)
from sanjeevani.patients.errors import AlreadyRegistered, CompanionMissing
from sanjeevani.patients.models import AccessGrant, Bond, Consent, Patient
from sanjeevani.patients.queries import (
    age_in_years,
    may_read,
    own_patient,
    patients_of,
    residents_of,
    valid_consent,
)
from sanjeevani.patients.services import (
    PATIENTS_PER_ACCOUNT,
    REPRESENTATIVES,
    Authority,
    Profile,
    join,
    leave_care,
    name_representative,
    register,
    register_residents,
    revoke_representative,
    take_back,
)
from tests import factories

pytestmark = pytest.mark.django_db

MEENA = Profile(
    relation="child",
    name="Meena Devi",
    gender="female",
    birth_date=datetime.date(2019, 3, 4),
    birth_date_is_estimated=False,
    address="12 Temple Street",
    district="Guntur",
)
SAVITA = Authority(
    name="Savita Kumari", bond="relative", mobile="", may_collect=True, may_speak=False
)


def registered(account: Any, profile: Profile, **more: Any) -> Patient:
    return register(
        factories.person(account.id), state_id=28, account_id=account.id, profile=profile, **more
    )


def test_the_same_person_is_asked_about_once_and_other_accounts_are_never_looked_at() -> None:
    account, other = factories.AccountFactory(), factories.AccountFactory()
    first = registered(account, MEENA)
    for name in ("MEENA  DEVI", "Meena Devi.", "Meenaa Devi".replace("aa", "a")):
        with pytest.raises(AlreadyRegistered) as refused:
            registered(account, replace(MEENA, name=name))
        assert refused.value.alike.id == first.id
    registered(account, replace(MEENA, name="Meena Kumari"))
    registered(account, replace(MEENA, birth_date=datetime.date(2019, 3, 5)))
    registered(account, MEENA, is_another=True)
    registered(other, MEENA)
    assert patients_of(factories.person(account.id)).count() == 4


def test_a_form_sent_twice_registers_once() -> None:
    account, key = factories.AccountFactory(), uuid7()
    first = registered(account, MEENA, key=key)
    assert registered(account, MEENA, key=key).id == first.id
    assert registered(factories.AccountFactory(), MEENA, key=key).id != first.id


def test_a_family_has_an_end_and_who_leaves_makes_room() -> None:
    account = factories.AccountFactory()
    me = factories.person(account.id)
    people = [
        registered(account, replace(MEENA, name=f"Child {chr(65 + number)}"))
        for number in range(PATIENTS_PER_ACCOUNT)
    ]
    with pytest.raises(Invalid):
        registered(account, replace(MEENA, name="One More"))
    leave_care(me, patient_id=people[0].id)
    registered(account, replace(MEENA, name="One More"))
    with pytest.raises(Invalid):
        take_back(me, patient_id=people[0].id)
    with pytest.raises(NotFound):
        own_patient(me, people[0].id)


def test_residents_come_all_or_none_and_once() -> None:
    account = factories.AccountFactory()
    me = factories.person(account.id)
    resident = replace(MEENA, relation="resident", name="Ram Singh", room="7")
    with pytest.raises(Invalid):
        registered(account, resident)
    factories.InstitutionFactory(account=account)
    sitting: dict[str, Any] = {"state_id": 28, "account_id": account.id, "key": uuid7()}
    wrong = replace(resident, name="Sita", birth_date=clock.today() + datetime.timedelta(days=2))
    with pytest.raises(Invalid):
        register_residents(me, profiles=[(resident, False), (wrong, False)], **sitting)
    assert not residents_of(me).exists()
    pair = [(resident, False), (replace(resident, room="8"), False)]
    for _again in range(2):
        assert len(register_residents(me, profiles=pair, **sitting)) == 2
    assert [one.room for one in residents_of(me)] == ["7", "8"]
    with pytest.raises(AlreadyRegistered):
        register_residents(me, profiles=pair, **sitting | {"key": uuid7()})
    with pytest.raises(NotPermitted):
        register_residents(
            factories.person(factories.AccountFactory().id), profiles=pair, **sitting
        )


def test_joined_records_are_read_as_one_and_can_be_parted() -> None:
    clinic = factories.ClinicFactory()
    kept = factories.PatientFactory()
    me = factories.person(kept.account_id)
    double = factories.PatientFactory(state_id=28, account_id=kept.account_id)
    stranger = factories.PatientFactory()
    held = factories.requested(clinic, double)
    practitioner = factories.on_duty(clinic)
    call_next(factories.doctor(practitioner), practitioner=practitioner)
    assert not may_read(practitioner.id, patient_state_id=28, patient_id=kept.id)
    for other in (double.id, stranger.id):
        with pytest.raises((NotFound, Invalid)):
            join(me, patient_id=double.id, kept_id=other)
    join(me, patient_id=double.id, kept_id=kept.id)
    assert [one.id for one in own_consultations(me, patient=kept)] == [held.id]
    assert may_read(practitioner.id, patient_state_id=28, patient_id=kept.id)
    assert [one.id for one in patients_of(me)] == [kept.id]
    take_back(me, patient_id=double.id)
    assert own_consultations(me, patient=kept) == []
    assert not may_read(practitioner.id, patient_state_id=28, patient_id=kept.id)


def test_withdrawing_gives_tokens_back_and_closes_the_record() -> None:
    clinic, patient = factories.ClinicFactory(), factories.PatientFactory()
    me = factories.person(patient.account_id)
    seen = factories.requested(clinic, patient)
    practitioner = factories.on_duty(clinic)
    call_next(factories.doctor(practitioner), practitioner=practitioner)
    second = factories.ClinicFactory()
    waiting = factories.requested(second, patient)
    withdraw_consent(me, patient=patient, language="en")
    assert get(28, waiting.id).status == ConsultationStatus.CANCELLED
    # What a doctor has taken up goes on.
    assert get(28, seen.id).status == ConsultationStatus.REQUESTED
    assert valid_consent(patient) is None
    grant = AccessGrant.objects.get(state_id=28, patient_id=patient.id)
    assert grant.expires_at is not None
    assert not may_read(practitioner.id, patient_state_id=28, patient_id=patient.id)
    with pytest.raises(ConsentMissing):
        ask(clinic, patient)


def test_a_new_version_of_the_notice_asks_again() -> None:
    patient = factories.PatientFactory()
    factories.ConsentFactory(patient=patient, notice_version="2026-11")
    assert valid_consent(patient) is None
    factories.ConsentFactory(patient=patient)
    assert valid_consent(patient) is not None
    assert Consent.objects.filter(state_id=28, patient_id=patient.id).count() == 2


def ask(clinic: Any, patient: Patient, **more: Any) -> Any:
    return request_consultation(
        factories.person(patient.account_id),
        patient=patient,
        clinic=clinic_serving(28, clinic_state_id=28, clinic_id=clinic.id),
        content=factories.told(patient, text="Fever"),
        language="en",
        request_key=uuid.uuid4(),
        **more,
    )


def test_a_minor_is_seen_only_with_an_identified_adult_who_stands_in_the_request() -> None:
    clinic = factories.ClinicFactory()
    today = clock.today()
    child = factories.PatientFactory(relation="child", birth_date=today.replace(year=2015, day=1))
    factories.ConsentFactory(patient=child)
    assert needs_companion(child)
    with pytest.raises(CompanionMissing):
        ask(clinic, child)
    stranger = factories.PatientFactory()
    with pytest.raises(CompanionMissing):
        ask(clinic, child, companion_id=stranger.id)
    sister = factories.PatientFactory(
        state_id=28, account_id=child.account_id, relation="child", birth_date=child.birth_date
    )
    with pytest.raises(CompanionMissing):
        ask(clinic, child, companion_id=sister.id)
    mother = factories.PatientFactory(state_id=28, account_id=child.account_id, name="Lakshmi Devi")
    asked = ask(clinic, child, companion_id=mother.id)
    companion = intake_of(28, asked.id).companion
    assert companion is not None
    assert (companion.name, companion.bond) == ("Lakshmi Devi", Bond.PARENT)


@pytest.mark.parametrize(("years", "days", "needed"), [(18, 0, False), (18, -1, True)])
def test_eighteen_is_reached_on_the_birthday(years: int, days: int, needed: bool) -> None:
    today = clock.today()
    born = today.replace(year=today.year - years) - datetime.timedelta(days=days)
    assert needs_companion(factories.PatientFactory.build(birth_date=born)) is needed


def test_who_cannot_decide_alone_needs_somebody_and_an_end_of_authority_ends_it() -> None:
    father = factories.PatientFactory(decides_alone=False)
    me = factories.person(father.account_id)
    assert companions_of(father) == []
    speaks = replace(SAVITA, may_speak=True)
    named = name_representative(me, patient=father, authority=speaks)
    name_representative(me, patient=father, authority=SAVITA)
    assert identified(father, None) == companions_of(father)[0]
    revoke_representative(me, patient=father, representative_id=named.id)
    assert len(representatives_of(father)) == 1
    with pytest.raises(CompanionMissing):
        identified(father, named.id)


def test_an_authority_lasts_to_its_last_day() -> None:
    patient = factories.PatientFactory()
    factories.RepresentativeFactory(
        patient=patient, since=clock.today() - datetime.timedelta(days=9), until=clock.today()
    )
    assert representatives_of(patient)
    tomorrow = clock.now() + datetime.timedelta(days=1)
    with clock.driven_by(lambda: tomorrow):
        assert not representatives_of(patient)


@given(st.dates(datetime.date(1930, 1, 1), datetime.date(2026, 11, 28)))
def test_the_last_day_as_a_minor_is_the_day_before_coming_of_age(born: datetime.date) -> None:
    patient = factories.PatientFactory.build(birth_date=born)
    last = last_day_as_minor(patient)
    if last is None:
        assert age_in_years(born, clock.today()) >= 18
        return
    assert age_in_years(born, last) == 17
    assert age_in_years(born, last + datetime.timedelta(days=1)) == 18


def test_an_authority_over_a_minor_ends_when_they_are_of_age() -> None:
    today = clock.today()
    for alone, ends in ((True, True), (False, False)):
        child = factories.PatientFactory(birth_date=today.replace(year=today.year - 17, day=1))
        child.decides_alone = alone
        me = factories.person(child.account_id)
        named = name_representative(me, patient=child, authority=SAVITA)
        assert (named.until == last_day_as_minor(child)) is ends
        sooner = name_representative(me, patient=child, authority=replace(SAVITA, until=today))
        assert sooner.until == today


def test_representatives_are_few_and_may_something() -> None:
    patient = factories.PatientFactory()
    me = factories.person(patient.account_id)
    for wrong in (
        replace(SAVITA, may_collect=False),
        replace(SAVITA, until=clock.today() - datetime.timedelta(days=1)),
        replace(SAVITA, bond="institution"),
    ):
        with pytest.raises(Invalid):
            name_representative(me, patient=patient, authority=wrong)
    for _one in range(REPRESENTATIVES):
        name_representative(me, patient=patient, authority=SAVITA)
    with pytest.raises(Invalid):
        name_representative(me, patient=patient, authority=SAVITA)
    with pytest.raises(NotPermitted):
        name_representative(
            factories.person(factories.AccountFactory().id), patient=patient, authority=SAVITA
        )
