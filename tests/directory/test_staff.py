"""How people join, are verified, and leave."""

import datetime
from typing import Any

import pytest

from sanjeevani.directory.errors import (
    AlreadyRegistered,
    AlreadyVerified,
    LastAdministrator,
    NotVerified,
    OwnAccount,
)
from sanjeevani.directory.models import Facility, Practitioner, Role
from sanjeevani.directory.queries import posts_of
from sanjeevani.directory.services import (
    PractitionerDetails,
    change_practitioner,
    end_post,
    give_post,
    verify_practitioner,
)
from sanjeevani.directory.staff import (
    NewPerson,
    answers_for,
    appoint,
    appoint_known,
    close_account,
    enrol_practitioner,
    invite_again,
    reopen_account,
)
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.identity import services as identity
from sanjeevani.identity.errors import InvitationDead, WrongPassword
from sanjeevani.identity.models import Account, Session
from sanjeevani.identity.queries import find_session, invited_account
from sanjeevani.messaging.models import OutgoingMessage
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    FacilityFactory,
    PostFactory,
    PractitionerFactory,
    SpecialityFactory,
    StateFactory,
)

pytestmark = pytest.mark.django_db

PASSWORD = "three words together"


def person(**more: Any) -> NewPerson:
    """Somebody new."""
    return NewPerson(**{"name": "Dr Asha Devi", "mobile": "+919876543210", "language": "en"} | more)


def details(**more: Any) -> PractitionerDetails:
    """What a doctor is registered with."""
    values: dict[str, Any] = {
        "name": "Dr Asha Devi",
        "gender": "female",
        "qualification": "MBBS",
        "council": "Andhra Pradesh Medical Council",
        "registration_number": "APMC/FMR/00123",
        "speciality_code": "general_medicine",
        "languages": ["te"],
        "address": "Hospital Road, Guntur",
        "contact": "0863 2345678",
    }
    return PractitionerDetails(**values | more)


def administrator(role: Role, facility: Facility) -> Actor:
    """Somebody who acts in a post at a facility."""
    practitioner = PractitionerFactory(state_id=facility.state_id)
    post = PostFactory(role=role, facility=facility, practitioner=practitioner)
    return Actor(
        ActorKind.STAFF, account_id=post.account_id, post_id=post.id, state_id=post.state_id
    )


@pytest.fixture
def facility(db: None) -> Facility:
    """A hospital in an open state."""
    StateFactory(opened_at=datetime.datetime.now(datetime.UTC))
    SpecialityFactory()
    hospital: Facility = FacilityFactory()
    return hospital


def newest_link() -> str:
    """The token of the link sent last."""
    text = OutgoingMessage.objects.filter(purpose="staff_invitation").latest("queued_at").text
    return text.split("/staff/welcome/")[1].split()[0]


def enrolled(**more: Any) -> Practitioner:
    """A doctor on the state's list."""
    return enrol_practitioner(
        SYSTEM,
        state_id=more.pop("state_id", ANDHRA_PRADESH),
        person=person(),
        details=details(**more),
    )


def test_a_doctor_serves_only_once_verified(facility: Facility) -> None:
    doctor = enrolled()
    post: dict[str, Any] = {
        "state_id": ANDHRA_PRADESH,
        "facility_id": facility.id,
        "account_id": doctor.account_id,
        "role": Role.DOCTOR,
        "practitioner_id": doctor.id,
    }
    with pytest.raises(NotVerified):
        give_post(SYSTEM, **post)
    assert not OutgoingMessage.objects.exists()
    verify_practitioner(SYSTEM, state_id=ANDHRA_PRADESH, practitioner_id=doctor.id)
    give_post(SYSTEM, **post)
    assert invited_account(newest_link()).login == "asha.devi"


@pytest.mark.parametrize("number", ["APMC/FMR/00123", "apmc fmr 00123", "APMC-FMR-00123"])
@pytest.mark.parametrize("state_id", [ANDHRA_PRADESH, TAMIL_NADU])
def test_a_registration_is_taken_once_in_the_nation(
    facility: Facility, state_id: int, number: str
) -> None:
    enrolled()
    with pytest.raises(AlreadyRegistered) as refused:
        enrolled(state_id=state_id, registration_number=number)
    assert refused.value.field == "registration_number"
    assert Account.objects.count() == 1


def test_an_entry_is_corrected_until_it_is_verified(facility: Facility) -> None:
    doctor = enrolled()
    key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "practitioner_id": doctor.id}
    change_practitioner(SYSTEM, **key, details=details(registration_number="APMC/FMR/9"))
    enrolled()
    verify_practitioner(SYSTEM, **key)
    with pytest.raises(AlreadyVerified):
        change_practitioner(SYSTEM, **key, details=details(registration_number="APMC/FMR/8"))


def test_two_of_the_same_name_get_two_user_names(facility: Facility) -> None:
    for expected in ("asha.devi", "asha.devi2"):
        post = appoint(
            SYSTEM,
            state_id=ANDHRA_PRADESH,
            facility_id=facility.id,
            role=Role.FACILITY_ADMIN,
            person=person(),
        )
        assert Account.objects.get(id=post.account_id).login == expected
    named = appoint(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        role=Role.OBSERVER,
        person=person(name="आशा देवी"),
    )
    assert Account.objects.get(id=named.account_id).login == "staff"


def test_one_person_works_in_two_states(facility: Facility) -> None:
    here = appoint(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        role=Role.FACILITY_ADMIN,
        person=person(),
    )
    there = FacilityFactory(state_id=TAMIL_NADU)
    appoint_known(
        SYSTEM,
        state_id=TAMIL_NADU,
        facility_id=there.id,
        role=Role.FACILITY_ADMIN,
        login=" Asha.Devi ",
    )
    assert [post.state_id for post in posts_of(here.account_id)] == [ANDHRA_PRADESH, TAMIL_NADU]
    with pytest.raises(Invalid):
        appoint_known(
            SYSTEM,
            state_id=TAMIL_NADU,
            facility_id=there.id,
            role=Role.OBSERVER,
            login="nobody",
        )


def test_the_link_works_once_and_only_the_newest(facility: Facility) -> None:
    post = appoint(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        role=Role.OBSERVER,
        person=person(),
    )
    first = newest_link()
    invite_again(SYSTEM, state_id=post.state_id, post_id=post.id)
    second = newest_link()
    with pytest.raises(InvitationDead):
        identity.accept_invitation(SYSTEM, token=first, password=PASSWORD)
    identity.accept_invitation(SYSTEM, token=second, password=PASSWORD)
    with pytest.raises(InvitationDead):
        identity.accept_invitation(SYSTEM, token=second, password=PASSWORD)
    assert identity.sign_in_staff(SYSTEM, login="asha.devi", password=PASSWORD)


def test_a_password_chosen_meanwhile_ends_the_link(facility: Facility) -> None:
    """It was sent to a number that may be somebody else's by now."""
    post = appoint(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        role=Role.OBSERVER,
        person=person(),
    )
    account = identity.accept_invitation(SYSTEM, token=newest_link(), password=PASSWORD)
    invite_again(SYSTEM, state_id=post.state_id, post_id=post.id)
    sent = newest_link()
    another = "orchard bicycle 17 drum"
    identity.change_password(SYSTEM, account_id=account.id, current=PASSWORD, password=another)
    with pytest.raises(InvitationDead):
        identity.accept_invitation(SYSTEM, token=sent, password=PASSWORD)
    assert identity.sign_in_staff(SYSTEM, login="asha.devi", password=another)


def test_a_new_number_needs_the_right_over_all_posts(facility: Facility) -> None:
    """Whoever may send the link elsewhere could act as the person."""
    doctor = enrolled()
    verify_practitioner(SYSTEM, state_id=ANDHRA_PRADESH, practitioner_id=doctor.id)
    post = give_post(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        account_id=doctor.account_id,
        role=Role.DOCTOR,
        practitioner_id=doctor.id,
    )
    boss = administrator(Role.FACILITY_ADMIN, facility)
    key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "post_id": post.id}
    assert invite_again(boss, **key, mobile="+919876500000").mobile == "+919876500000"
    give_post(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        account_id=doctor.account_id,
        role=Role.STATE_ADMIN,
    )
    with pytest.raises(NotPermitted):
        invite_again(boss, **key, mobile="+919876511111")
    assert invite_again(boss, **key).mobile == "+919876500000"


def test_a_new_number_needs_the_right_over_a_doctor_without_a_post(facility: Facility) -> None:
    """Who takes the account over before the first post begins would be the doctor afterwards."""
    doctor = enrolled()
    elsewhere = FacilityFactory(state_id=TAMIL_NADU)
    post = appoint_known(
        SYSTEM,
        state_id=TAMIL_NADU,
        facility_id=elsewhere.id,
        role=Role.HEALTH_WORKER,
        login="asha.devi",
    )
    key: dict[str, Any] = {"state_id": TAMIL_NADU, "post_id": post.id, "mobile": "+919876500000"}
    for role in (Role.FACILITY_ADMIN, Role.STATE_ADMIN):
        with pytest.raises(NotPermitted):
            invite_again(administrator(role, elsewhere), **key)
    verify_practitioner(SYSTEM, state_id=ANDHRA_PRADESH, practitioner_id=doctor.id)
    with pytest.raises(NotPermitted):
        invite_again(administrator(Role.STATE_ADMIN, elsewhere), **key)
    national = administrator(Role.NATIONAL_ADMIN, FacilityFactory(state_id=0))
    assert invite_again(national, **key).mobile == "+919876500000"


def test_the_end_of_a_post_ends_its_sessions_only(facility: Facility) -> None:
    post = appoint(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        role=Role.OBSERVER,
        person=person(),
    )
    identity.accept_invitation(SYSTEM, token=newest_link(), password=PASSWORD)
    signed = [
        identity.sign_in_staff(SYSTEM, login="asha.devi", password=PASSWORD) for _ in range(2)
    ]
    identity.choose_post(
        SYSTEM, session=signed[0].session, post_state_id=post.state_id, post_id=post.id
    )
    end_post(SYSTEM, state_id=post.state_id, post_id=post.id)
    assert find_session(signed[0].token) is None
    assert find_session(signed[1].token) is not None
    assert Session.objects.count() == 1


def test_a_closed_account_is_signed_out_and_opens_again(facility: Facility) -> None:
    post = appoint(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        role=Role.HEALTH_WORKER,
        person=person(),
    )
    identity.accept_invitation(SYSTEM, token=newest_link(), password=PASSWORD)
    signed = identity.sign_in_staff(SYSTEM, login="asha.devi", password=PASSWORD)
    boss = administrator(Role.FACILITY_ADMIN, facility)
    key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "post_id": post.id}
    close_account(boss, **key)
    assert find_session(signed.token) is None
    with pytest.raises(WrongPassword):
        identity.sign_in_staff(SYSTEM, login="asha.devi", password=PASSWORD)
    with pytest.raises(NotFound):
        invite_again(boss, **key)
    reopen_account(boss, **key)
    assert identity.sign_in_staff(SYSTEM, login="asha.devi", password=PASSWORD)


def test_who_answers_for_a_part_of_the_work_cannot_close_the_account(facility: Facility) -> None:
    post = appoint(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=facility.id,
        role=Role.HEALTH_WORKER,
        person=person(),
    )
    appoint_known(
        SYSTEM,
        state_id=TAMIL_NADU,
        facility_id=FacilityFactory(state_id=TAMIL_NADU).id,
        role=Role.HEALTH_WORKER,
        login="asha.devi",
    )
    key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "post_id": post.id}
    for role in (Role.FACILITY_ADMIN, Role.STATE_ADMIN):
        boss = administrator(role, facility)
        assert not answers_for(boss, post.account_id)
        with pytest.raises(NotPermitted):
            close_account(boss, **key)
        with pytest.raises(NotPermitted):
            reopen_account(boss, **key)
    national = administrator(Role.NATIONAL_ADMIN, FacilityFactory(state_id=0))
    assert not close_account(national, **key).password


def test_an_administrator_is_left_who_can_sign_in(facility: Facility) -> None:
    office = FacilityFactory(state_id=0)
    national = administrator(Role.NATIONAL_ADMIN, office)
    assert national.post_id is not None
    own: dict[str, Any] = {"state_id": 0, "post_id": national.post_id}
    with pytest.raises(OwnAccount):
        close_account(national, **own)
    other = administrator(Role.NATIONAL_ADMIN, office)
    with pytest.raises(LastAdministrator):
        close_account(other, **own)
