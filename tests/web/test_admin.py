"""The administrators' screens: who is let in, what they cost, and what is said to bad input."""

import datetime
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sanjeevani.consultation.models import Consultation, ConsultationStatus
from sanjeevani.directory.models import Clinic, ClinicHours, Facility, Post, Practitioner, Role
from sanjeevani.directory.queries import holidays_at, hours_of, state, states_served_by
from sanjeevani.directory.seals import seal_of
from sanjeevani.directory.timetable import MIDNIGHT
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity.models import Account
from sanjeevani.identity.services import set_password
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.queries import duty_of, serving
from sanjeevani.roster.services import assign
from tests import factories
from tests.factories import ANDHRA_PRADESH, TAMIL_NADU
from tests.web.admin_world import AdminWorld
from tests.web.test_desk import sign_in_doctor

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> AdminWorld:
    """A state with a hospital and two OPDs."""
    return AdminWorld()


def text_of(answer: Any) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


# Who is let in --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "state_id"),
    [
        (Role.STATE_ADMIN, TAMIL_NADU),
        (Role.FACILITY_ADMIN, TAMIL_NADU),
        (Role.FACILITY_ADMIN, ANDHRA_PRADESH),
    ],
)
def test_administrators_of_elsewhere_get_nothing(
    world: AdminWorld, role: Role, state_id: int
) -> None:
    stranger = world.stranger(role, state_id)
    before = (list(Post.objects.filter(state_id=28)), hours_of(world.general))
    own = {"/states/28/doctors/new"} if state_id == ANDHRA_PRADESH else set()
    pages = {*world.addresses().values(), world.at("/rows")} - {"/states/0/facilities"} - own
    for address in pages:
        assert stranger.get(address).status_code == 403, address
        assert stranger.post(address, {"do": "all"}).status_code in (403, 405), address
    assert (list(Post.objects.filter(state_id=28)), hours_of(world.general)) == before


def test_state_administrators_do_not_touch_the_nation(world: AdminWorld) -> None:
    client = world.clients["state"]
    for address in ("/nation", "/nation/states/33", "/states/0", "/states/0/staff"):
        assert client.get(address).status_code == 403
    client.post("/nation/states/33")
    assert state(TAMIL_NADU).opened_at is None


def test_facility_administrators_appoint_no_other_administrator(world: AdminWorld) -> None:
    person = {"name": "Ravi", "mobile": "9876543210", "language": "en"}
    for role in (Role.FACILITY_ADMIN, Role.OBSERVER, Role.STATE_ADMIN, Role.NATIONAL_ADMIN):
        answer = world.clients["facility"].post(
            world.at("/staff/new"), {"role": role.value, **person}
        )
        assert answer.status_code == 422
    assert not Account.objects.filter(display_name="Ravi").exists()


def test_everybody_lands_in_the_own_workplace(world: AdminWorld) -> None:
    for who, start, home in (
        ("state", "/state", "/states/28"),
        ("facility", "/facility", world.at()),
    ):
        assert world.clients[who].get(start).headers["Location"] == home
        assert world.clients[who].get(home).status_code == 200


# What pages cost ---------------------------------------------------------------------------------

STATEMENTS = {
    "/nation": 10,
    "/nation/administrators": 5,
    "/states/28": 12,
    "/states/28/facilities": 5,
    "/states/28/opds": 8,
    "/states/28/staff": 7,
    "/states/28/doctors": 6,
}


@pytest.mark.parametrize("address", STATEMENTS)
def test_statements_of_lists(
    world: AdminWorld, address: str, django_assert_max_num_queries: Any
) -> None:
    for _number in range(3):
        factories.ClinicFactory.create()
        factories.PractitionerFactory.create()
    client = world.clients["national" if address.startswith("/nation") else "state"]
    with django_assert_max_num_queries(STATEMENTS[address]):
        assert client.get(address).status_code == 200


def test_statements_of_the_board(world: AdminWorld, django_assert_max_num_queries: Any) -> None:
    for _number in range(3):
        line = factories.LineFactory.create(facility=world.hospital)
        factories.on_duty(factories.ClinicFactory.create(line=line))
    with django_assert_max_num_queries(24):
        assert world.clients["facility"].get(world.at()).status_code == 200
    with django_assert_max_num_queries(19):
        assert world.clients["facility"].get(world.at("/rows")).status_code == 200
    with django_assert_max_num_queries(8):
        assert world.clients["facility"].get(world.at("/staff")).status_code == 200


# The board ----------------------------------------------------------------------------------------


def test_the_board_says_what_to_do_next_and_the_doctor_is_asked(world: AdminWorld) -> None:
    board = text_of(world.clients["facility"].get(world.at()))
    assert "Patients wait, nobody is on duty" in board
    assert "3 of 100" in board
    key = {"doctor": f"28.{world.away.id}"}
    asked = world.clients["facility"].post(world.opd("/doctors/ask", world.children), key)
    assert asked.status_code == 303
    assert OutgoingMessage.objects.filter(purpose="ask_on_duty").count() == 1
    again = {"doctor": f"28.{world.doctor.id}"}
    refused = world.clients["facility"].post(world.opd("/doctors/ask"), again)
    assert refused.status_code == 422
    assert "on duty already" in text_of(refused)


def test_a_known_board_is_not_sent_again(world: AdminWorld) -> None:
    at = timezone.now()
    with clock.driven_by(lambda: at):
        etag = world.clients["facility"].get(world.at("/rows")).headers["ETag"]
        again = world.clients["facility"].get(world.at("/rows"), headers={"If-None-Match": etag})
    assert again.status_code == 304


# Timetables and plans -------------------------------------------------------------------------


def hours(clinic: Clinic) -> list[tuple[int, datetime.time, datetime.time]]:
    """A timetable as rows."""
    return [(row.weekday, row.opens, row.closes) for row in hours_of(clinic)]


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"opens_0_0": "09:00", "closes_0_0": "08:00"}, "Monday: This ends before it begins."),
        ({"opens_2_0": "09:00", "closes_2_0": "09:00"}, "Wednesday: This begins and ends at"),
        (
            {
                "opens_1_0": "09:00",
                "closes_1_0": "13:00",
                "opens_1_1": "12:00",
                "closes_1_1": "15:00",
            },
            "Tuesday: This overlaps with 09:00 to 13:00",
        ),
        ({"opens_0_0": "09:00"}, "Monday: fill in both times, or neither."),
        ({"opens_0_0": "nine", "closes_0_0": "13:00"}, "Write the time like 09:30."),
    ],
)
def test_a_wrong_timetable_is_explained_and_changes_nothing(
    world: AdminWorld, times: dict[str, str], said: str
) -> None:
    before = hours(world.general)
    answer = world.clients["facility"].post(world.opd("/timetable"), {"do": "save", **times})
    assert answer.status_code == 422
    assert said in text_of(answer)
    for value in times.values():
        assert f'value="{value}"' in answer.content.decode()
    assert hours(world.general) == before


def test_over_midnight_is_cut_in_two_when_asked(world: AdminWorld) -> None:
    times = {"opens_6_0": "20:00", "closes_6_0": "02:00", "opens_2_0": "9", "closes_2_0": "00:00"}
    answer = world.clients["facility"].post(world.opd("/timetable"), {"do": "save", **times})
    assert 'value="split"' in answer.content.decode()
    answer = world.clients["facility"].post(world.opd("/timetable"), {"do": "split", **times})
    assert answer.status_code == 303
    assert hours(world.general) == [
        (0, datetime.time(0), datetime.time(2)),
        (2, datetime.time(9), MIDNIGHT),
        (6, datetime.time(20), MIDNIGHT),
    ]
    page = world.clients["facility"].get(world.opd("/timetable")).content.decode()
    assert 'name="closes_6_0" type="time" value="00:00"' in page


def test_times_are_added_and_copied_before_anything_is_saved(world: AdminWorld) -> None:
    before = ClinicHours.objects.filter(state_id=28).count()
    typed = {"opens_0_0": "09:00", "closes_0_0": "13:00", "do": "add_0"}
    page = world.clients["facility"].post(world.opd("/timetable"), typed).content.decode()
    assert 'name="opens_0_1"' in page
    typed |= {"opens_0_1": "15:00", "closes_0_1": "17:00", "do": "copy_days"}
    page = world.clients["facility"].post(world.opd("/timetable"), typed).content.decode()
    assert page.count('value="15:00"') == 6
    assert ClinicHours.objects.filter(state_id=28).count() == before


def test_a_week_is_planned_and_shown(world: AdminWorld) -> None:
    address = world.week_of_away()
    times = {"do": "save", "opens_0_0": "09:00", "closes_0_0": "13:00"}
    assert world.clients["facility"].post(address, times).status_code == 303
    page = text_of(world.clients["facility"].get(world.opd("/doctors", world.children)))
    assert "Monday: 9:00 am–1:00 pm" in page


# Holidays -------------------------------------------------------------------------------------


def test_a_holiday_is_removed_and_restored_by_one_press(world: AdminWorld) -> None:
    (holiday,) = holidays_at(28, world.hospital.id)
    client = world.clients["facility"]
    gone = client.post(world.at(f"/holidays/{holiday.id}/remove"))
    assert holidays_at(28, world.hospital.id) == []
    page = client.get(gone.headers["Location"]).content.decode()
    assert "Undo: close again for Ugadi" in page
    undo = page[page.index("notice--good") :].split("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo))
    assert client.post(world.at("/holidays"), fields).status_code == 303
    (restored,) = holidays_at(28, world.hospital.id)
    assert (restored.date, restored.reason, restored.clinic_id) == (
        holiday.date,
        holiday.reason,
        holiday.clinic_id,
    )


def test_holidays_backwards_are_refused(world: AdminWorld) -> None:
    day = clock.today() + datetime.timedelta(days=20)
    first = {"first_day": day.day, "first_month": day.month, "first_year": day.year}
    before = day - datetime.timedelta(days=2)
    last = {"last_day": before.day, "last_month": before.month, "last_year": before.year}
    answer = world.clients["facility"].post(
        world.at("/holidays"), {"reason": "Diwali", **first, **last}
    )
    assert answer.status_code == 422
    assert "The last day comes before the first one." in text_of(answer)
    assert 'value="Diwali"' in answer.content.decode()


# Places, posts, closing -----------------------------------------------------------------------


def test_places_below_what_is_sold_are_refused(world: AdminWorld) -> None:
    address = world.opd("/places", world.children)
    client = world.clients["facility"]
    answer = client.post(address, {"places_per_day": "2", "waiting_places": "10"})
    assert answer.status_code == 422
    assert "3 places of today are taken. Enter at least that number." in text_of(answer)
    assert client.post(address, {"places_per_day": "3", "waiting_places": "10"}).status_code == 303
    world.children.line.refresh_from_db()
    assert world.children.line.places_per_day == 3


def test_a_doctor_in_mid_consultation_is_taken_off_first(world: AdminWorld) -> None:
    world.with_patient()
    client = world.clients["facility"]
    address = world.at(f"/staff/{world.post.id}/end")
    assert "This doctor is with a patient" in text_of(client.get(address))
    refused = client.post(address)
    assert refused.status_code == 422
    world.post.refresh_from_db()
    assert world.post.ended_at is None
    client.post(address, {"do": "off"})
    assert serving([world.general.line_id])[world.general.line_id] == []
    assert duty_of(world.doctor.id) == DutyStatus.OFF
    held = Consultation.objects.get(state_id=28, practitioner_id=world.doctor.id)
    assert held.status == ConsultationStatus.IN_PROGRESS


def test_one_button_closes_an_account_and_one_opens_it(world: AdminWorld) -> None:
    client = world.clients["facility"]
    address = world.at(f"/staff/{world.post.id}/account")
    assert "Close the account" in text_of(client.get(address))
    listed = client.get(client.post(address, {"do": "close"}).headers["Location"])
    assert "signed out everywhere" in text_of(listed)
    assert "Open the account again" in text_of(listed)
    assert not Account.objects.get(id=world.post.account_id).is_active
    assert client.post(address, {"do": "open"}).status_code == 303
    assert Account.objects.get(id=world.post.account_id).is_active


def test_an_account_used_elsewhere_too_is_not_closed_from_here(world: AdminWorld) -> None:
    factories.PostFactory.create(
        account_id=world.post.account_id, role=Role.HEALTH_WORKER, practitioner_id=None
    )
    client = world.clients["facility"]
    address = world.at(f"/staff/{world.post.id}/account")
    shown = text_of(client.get(address))
    assert "works elsewhere too" in shown
    assert "nobody can sign in" not in shown
    assert client.post(address, {"do": "close"}).status_code == 403


def test_unassigning_is_undone_by_one_press(world: AdminWorld) -> None:
    client = world.clients["facility"]
    key = {"doctor": f"28.{world.away.id}"}
    address = world.opd("/doctors", world.children)
    shown = client.get(client.post(address, key).headers["Location"]).content.decode()
    assert f'value="28.{world.away.id}"' in shown
    assert serving([world.children.line_id])[world.children.line_id] == []
    client.post(address, {**key, "do": "assign"})
    assert len(serving([world.children.line_id])[world.children.line_id]) == 1


@pytest.mark.parametrize("has_refuge", [True, False])
def test_closing_with_patients_waiting_says_before_and_after_what_happens(
    world: AdminWorld, has_refuge: bool
) -> None:
    client = world.clients["facility"]
    if not has_refuge:
        client.post(world.opd("/doctors"), {"doctor": f"28.{world.doctor.id}"})
    before = text_of(client.get(world.opd("/close", world.children)))
    closed = client.post(world.opd("/close", world.children))
    after = text_of(client.get(closed.headers["Location"]))
    if has_refuge:
        assert "3 patients who wait are taken to General medicine OPD" in before
        assert "3 patients were taken to another OPD with their waiting time." in after
    else:
        assert "3 patients are told by SMS that the OPD has closed" in before
        assert "3 were told by SMS that the OPD has closed." in after
    world.children.refresh_from_db()
    assert world.children.closed_at is not None
    assert client.post(world.opd("/close", world.children)).status_code == 422
    assert client.get(world.opd("", world.children)).status_code == 200


# The state ------------------------------------------------------------------------------------


def test_a_clinic_is_opened_to_one_state_then_to_all(world: AdminWorld) -> None:
    address = f"/states/28/opds/{world.general.id}/states"
    client = world.clients["state"]
    assert client.post(address).status_code == 422
    assert client.post(address, {"states": ["33"]}).status_code == 303
    assert set(states_served_by(world.general)) == {28, 33}
    assert client.post(address, {"states": ["99"]}).status_code == 422
    assert client.post(address, {"do": "all"}).status_code == 303
    assert len(states_served_by(world.general)) == 36
    assert "It serves the whole country." in text_of(client.get(address))


REGISTER = {
    "name": "Dr Leela Nair",
    "gender": "female",
    "qualification": "MBBS",
    "council": "Andhra Pradesh Medical Council",
    "registration_number": "APMC/FMR/77001",
    "speciality": "general_medicine",
    "languages": ["te", "en"],
    "address": "Hospital Road",
    "contact": "0863 2345678",
    "mobile": "9876501234",
    "language": "en",
}


def test_a_doctor_is_enrolled_verified_and_given_a_post_with_a_link(world: AdminWorld) -> None:
    client = world.clients["state"]
    enrolled = client.post("/states/28/doctors/new", REGISTER)
    made = Practitioner.objects.get(state_id=28, registration_number="APMC/FMR/77001")
    assert enrolled.headers["Location"].startswith(f"/states/28/doctors/{made.id}")
    twice = client.post("/states/28/doctors/new", REGISTER)
    assert "already on the list" in text_of(twice)
    post = {"chosen": str(world.hospital.id), "role": "doctor"}
    early = client.post(f"/states/28/doctors/{made.id}/post", post)
    assert "not verified yet" in text_of(early)
    client.post(f"/states/28/doctors/{made.id}", {"seen": seal_of(made)})
    late = client.post(f"/states/28/doctors/{made.id}/change", REGISTER)
    assert late.status_code == 422
    assert client.post(f"/states/28/doctors/{made.id}/post", post).status_code == 303
    assert OutgoingMessage.objects.filter(purpose="staff_invitation").count() == 1


def test_whose_registration_ended_serves_no_more_until_verified_again(world: AdminWorld) -> None:
    client, page = world.clients["state"], f"/states/28/doctors/{world.doctor.id}"
    far = factories.LineFactory.create(facility=factories.FacilityFactory(state_id=TAMIL_NADU))
    assign(SYSTEM, practitioner=world.doctor, line=far)
    desk = Client()
    sign_in_doctor(desk, world.doctor)
    assert f"{page}/withdraw" in client.get(page).content.decode()
    assert "signed out of all posts" in text_of(client.get(f"{page}/withdraw"))
    done = client.post(f"{page}/withdraw", follow=True)
    assert "The verification is taken back" in text_of(done)
    assert "Check with the council" in text_of(done)
    lines = [world.general.line_id, far.id]
    assert serving(lines) == {line_id: [] for line_id in lines}
    assert duty_of(world.doctor.id) == DutyStatus.OFF
    assert desk.get("/desk").status_code == 303
    posts = Post.objects.filter(state_id=28, practitioner_id=world.doctor.id, ended_at=None)
    assert not posts.exists()
    again = {"chosen": str(world.doctor.id), "role": "doctor"}
    refused = world.clients["facility"].post(world.at("/staff/doctors"), again)
    assert refused.status_code == 422
    change = {**REGISTER, "registration_number": world.doctor.registration_number}
    assert client.post(f"{page}/change", change).status_code == 303
    entry = Practitioner.objects.get(state_id=28, id=world.doctor.id)
    assert (entry.contact, entry.verified_at) == (REGISTER["contact"], None)
    client.post(page, {"seen": seal_of(entry)})
    assert world.hospital.id in posts.values_list("facility_id", flat=True)


def test_a_consultation_is_not_broken_off_when_a_registration_ends(world: AdminWorld) -> None:
    world.with_patient()
    client, page = world.clients["state"], f"/states/28/doctors/{world.doctor.id}"
    said = text_of(client.post(f"{page}/withdraw", follow=True))
    assert "This doctor is with a patient" in said
    assert serving([world.general.line_id])[world.general.line_id] == []
    held = Consultation.objects.get(state_id=28, practitioner_id=world.doctor.id)
    assert held.status == ConsultationStatus.IN_PROGRESS
    world.post.refresh_from_db()
    assert world.post.ended_at is None


def test_a_facility_is_closed_only_when_it_is_empty(world: AdminWorld) -> None:
    client = world.clients["state"]
    refused = client.post(f"/states/28/facilities/{world.hospital.id}/close")
    assert "Online OPDs are open here. Close them first." in text_of(refused)
    empty = factories.FacilityFactory.create()
    assert client.post(f"/states/28/facilities/{empty.id}/close").status_code == 303
    assert Facility.objects.get(state_id=28, id=empty.id).closed_at is not None


def test_a_new_clinic_says_everything_wrong_at_once_and_keeps_what_was_typed(
    world: AdminWorld,
) -> None:
    address = f"/states/28/facilities/{world.hospital.id}/opds/new"
    typed = {"name": "Skin OPD", "opens_0_0": "10:00", "closes_0_0": "08:00"}
    answer = world.clients["state"].post(address, {"do": "save", **typed})
    assert answer.status_code == 422
    for words in ("Choose: Speciality", "Fill in: Places a day", "Monday: This ends before"):
        assert words in text_of(answer)
    page = answer.content.decode()
    assert 'value="Skin OPD"' in page
    copied = world.clients["state"].post(address, {"do": "copy_week", **typed}).content.decode()
    assert 'value="Skin OPD"' in copied
    assert copied.count('value="10:00"') == 7


# The first sign-in ------------------------------------------------------------------------------


def test_the_link_leads_into_the_workplace_once(world: AdminWorld) -> None:
    client = world.clients["state"]
    person = {"name": "Ravi Kumar", "mobile": "9876543210", "language": "en"}
    sent = client.post(world.at("/staff/new"), {"role": "facility_admin", **person})
    assert "9876543210" not in sent.headers["Location"]
    message = OutgoingMessage.objects.get(purpose="staff_invitation")
    link = re.search(r"/staff/welcome/\S+", message.text)
    assert link
    guest = Client()
    page = guest.get(link.group())
    assert "ravi.kumar" in text_of(page)
    weak = guest.post(link.group(), {"password": "short"})
    assert weak.status_code == 422
    begun = guest.post(link.group(), {"password": "three words together"})
    assert begun.headers["Location"] == "/facility"
    assert guest.get(begun.headers["Location"], follow=True).status_code == 200
    assert Client().get(link.group()).status_code == 410


def test_nobody_verifies_what_a_colleague_has_changed_meanwhile(world: AdminWorld) -> None:
    """What was held against the register is what the page showed."""
    entry = factories.PractitionerFactory.create(verified_at=None)
    page, client = f"/states/28/doctors/{entry.id}", world.clients["state"]
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(page).content.decode())
    assert seen is not None
    rows = Practitioner.objects.filter(state_id=28, id=entry.id)
    rows.update(registration_number="APMC/OTHER/1")
    answer = client.post(page, {"seen": seen[1]})
    assert answer.status_code == 422
    assert "has been corrected meanwhile" in text_of(answer)
    assert rows.get().verified_at is None
    fresh = re.search(r'name="seen" value="([^"]+)"', answer.content.decode())
    assert fresh is not None
    assert client.post(page, {"seen": fresh[1]}).status_code == 303
    assert rows.get().verified_at is not None


def test_an_opd_is_not_opened_to_the_whole_country_by_a_slip(world: AdminWorld) -> None:
    """What cannot be taken back stood beside the button that everybody presses."""
    client, address = world.clients["state"], f"/states/28/opds/{world.general.id}/states"
    before, _button, _after = client.get(address).content.decode().partition('value="all"')
    assert before.rpartition("<details")[2].count("</details>") == 0
    assert "cannot be taken back" in before.rpartition("<details")[2]
    assert client.post(address, {"do": "all"}).status_code == 303
    assert len(states_served_by(world.general)) == 36


def test_the_nation_keeps_an_administrator(world: AdminWorld) -> None:
    """Whoever ended the last one's post, by a slip their own, left nobody who appoints others."""
    client = world.clients["national"]
    own = Post.objects.get(state_id=0, role=Role.NATIONAL_ADMIN)
    address = f"/facilities/0/{world.cell.id}/staff/{own.id}/end"
    second = factories.PostFactory.create(
        facility=world.cell, role=Role.NATIONAL_ADMIN, practitioner_id=None
    )
    Account.objects.filter(id=second.account_id).update(password="")
    refused = client.post(address)
    assert refused.status_code == 422
    assert "Nobody else can administer the nation" in text_of(refused)
    assert client.get("/nation").status_code == 200
    set_password(SYSTEM, account_id=second.account_id, password="three words together")
    assert client.post(address).status_code == 303
    assert client.get("/nation").status_code == 303


FACILITY = {
    "name": "District Hospital, Guntur",
    "kind": "district_hospital",
    "address": "Hospital Road",
    "district": "Guntur",
    "hosts": ["is_opd_host"],
}
RULES = {
    "name": "General OPD",
    "languages": ["te"],
    "time_limit_minutes": "10",
    "target_wait_minutes": "30",
}


@pytest.mark.parametrize(
    ("page", "first", "second", "kept"),
    [
        (
            "/states/28/facilities/{hospital}/change",
            {**FACILITY, "hosts": ["is_opd_host", "is_hub"]},
            {**FACILITY, "phone": "0863 2345678"},
            "0863 2345678",
        ),
        ("/states/28/doctors/{new}/change", REGISTER, {**REGISTER, "contact": "1"}, 'value="1"'),
        ("/opds/28/{opd}/rules", {**RULES, "time_limit_minutes": "7"}, RULES, "General OPD"),
        (
            "/opds/28/{opd}/timetable",
            {"do": "save", "opens_1_0": "08:00", "closes_1_0": "09:00"},
            {"do": "save", "opens_0_0": "09:30", "closes_0_0": "12:00"},
            'value="09:30"',
        ),
    ],
)
def test_nobody_overwrites_what_a_colleague_has_changed_meanwhile(
    world: AdminWorld, page: str, first: dict[str, Any], second: dict[str, Any], kept: str
) -> None:
    """What was typed stays on the page, and stands when it is saved once more."""
    client = world.clients["state"]
    address = page.format(hospital=world.hospital.id, new=world.new.id, opd=world.general.id)

    def seen(answer: Any) -> str:
        found = re.search(r'name="seen" value="([^"]+)"', answer.content.decode())
        assert found
        return found[1]

    opened, by_colleague = seen(client.get(address)), seen(client.get(address))
    wrong = client.post(address, {**second, "seen": opened, "name": "", "opens_0_0": "x"})
    assert wrong.status_code == 422
    assert seen(wrong) == opened
    assert client.post(address, {**first, "seen": by_colleague}).status_code == 303
    refused = client.post(address, {**second, "seen": opened})
    assert refused.status_code == 422
    assert "Somebody else has changed this meanwhile" in text_of(refused)
    assert kept in refused.content.decode()
    assert client.post(address, {**second, "seen": seen(refused)}).status_code == 303
