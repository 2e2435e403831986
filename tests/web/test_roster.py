"""The roster over HTTP: a doctor's own, a facility's, and planned against served hours."""

import csv
import datetime
import re
from io import StringIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sanjeevani.directory.hubs import open_hub_speciality
from sanjeevani.directory.models import Facility, Practitioner
from sanjeevani.directory.services import add_holidays
from sanjeevani.directory.timetable import MIDNIGHT, Opening
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.roster.leave import take_leave
from sanjeevani.roster.models import LeaveDay, OfferStatus, ShiftOffer, Spell
from sanjeevani.roster.planning import ONE_DAY, moment
from sanjeevani.roster.services import assign, plan_week
from sanjeevani.roster.swaps import accept_shift, offer_shift
from tests import factories
from tests.web.admin_world import AdminWorld
from tests.web.looks import LANGUAGES, faults_in
from tests.web.test_desk import sign_in_doctor

pytestmark = pytest.mark.django_db

NINE, ONE_PM, NIGHT = datetime.time(9), datetime.time(13), datetime.time(20)


def tomorrow() -> datetime.date:
    """The day after today."""
    return clock.today() + ONE_DAY


class RosterWorld(AdminWorld):
    """Two doctors of an OPD: mornings and nights of one, nothing of the other yet."""

    def __init__(self) -> None:
        super().__init__()
        self.mine = self.doctor
        self.colleague: Practitioner = factories.on_duty(self.general, name="Dr Kavita Menon")
        week = [
            shift
            for day in range(7)
            for shift in (
                Opening(weekday=day, opens=NINE, closes=ONE_PM),
                Opening(weekday=day, opens=NIGHT, closes=MIDNIGHT),
            )
        ]
        plan_week(SYSTEM, practitioner_id=self.mine.id, line=self.general.line, shifts=week)
        self.mine_at_desk, self.colleague_at_desk = Client(), Client()
        sign_in_doctor(self.mine_at_desk, self.mine)
        sign_in_doctor(self.colleague_at_desk, self.colleague)

    def offered(self, day: datetime.date) -> ShiftOffer:
        """A morning that the doctor offers to the colleague."""
        return offer_shift(
            factories.doctor(self.mine),
            giver=self.mine,
            line=self.general.line,
            begins_at=moment(day, NINE),
            taker=self.colleague,
        )


@pytest.fixture
def world() -> RosterWorld:
    """A hospital with a roster."""
    return RosterWorld()


def text_of(answer: Any) -> str:
    """The words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def days(first: datetime.date, last: datetime.date | None = None) -> dict[str, Any]:
    """Days as the form sends them."""
    sent = {"first_day": first.day, "first_month": first.month, "first_year": first.year}
    if last:
        sent |= {"last_day": last.day, "last_month": last.month, "last_year": last.year}
    return sent


def test_leave_weeks_ahead_shows_its_shifts_to_be_offered(world: RosterWorld) -> None:
    """Leave is planned for a wedding in five weeks, not for next week."""
    day = clock.today() + ONE_DAY * 35
    noted = world.mine_at_desk.post("/desk/roster", {"do": "leave", **days(day)})
    page = world.mine_at_desk.get(noted.headers["Location"])
    assert "Your leave is noted" in text_of(page)
    assert "Your leave 9:00 am– 1:00 pm On leave" in text_of(page)
    assert "This week" in text_of(world.mine_at_desk.get("/desk/roster"))
    address = f"/desk/roster/28/{world.general.line_id}/{int(moment(day, NINE).timestamp())}"
    assert address in page.content.decode()
    asked = world.mine_at_desk.post(address, {"taker": str(world.colleague.id)})
    shown = text_of(world.mine_at_desk.get(asked.headers["Location"]))
    assert "Dr Kavita Menon is asked" in shown


@pytest.mark.parametrize("begins", ["0", "99999999999", "9" * 30])
def test_a_shift_beyond_all_days_is_not_found(world: RosterWorld, begins: str) -> None:
    address = f"/desk/roster/28/{world.general.line_id}/{begins}"
    assert world.mine_at_desk.get(address).status_code == 404


def test_a_shift_is_offered_and_taken_over_from_the_desk(world: RosterWorld) -> None:
    day = clock.today() + ONE_DAY * 2
    page = world.mine_at_desk.get("/desk/roster").content.decode()
    address = f"/desk/roster/28/{world.general.line_id}/{int(moment(day, NINE).timestamp())}"
    assert address in page
    assert "Dr Kavita Menon" in text_of(world.mine_at_desk.get(address))
    nobody = world.mine_at_desk.post(address, {"taker": ""})
    assert nobody.status_code == 422
    asked = world.mine_at_desk.post(address, {"taker": str(world.colleague.id)})
    assert asked.headers["Location"] == "/desk/roster?done=offered"
    assert "Dr Kavita Menon is asked" in text_of(world.mine_at_desk.get("/desk/roster"))
    again = world.mine_at_desk.post(address, {"taker": str(world.colleague.id)})
    assert "has been asked already" in text_of(again)
    roster = text_of(world.clients["facility"].get(world.at("/roster")))
    assert "Not answered yet" in roster
    page = world.colleague_at_desk.get("/desk/roster").content.decode()
    [button] = re.findall(r'value="(accept:[^"]+)"', page)
    taken = world.colleague_at_desk.post("/desk/roster", {"do": button})
    assert taken.headers["Location"] == "/desk/roster?done=accepted"
    assert f"in place of {world.mine.name}" in text_of(world.colleague_at_desk.get("/desk/roster"))
    stranger = world.mine_at_desk.post("/desk/roster", {"do": button})
    assert stranger.status_code == 404
    assert ShiftOffer.objects.get(state_id=28).status == OfferStatus.ACCEPTED


def test_a_colleague_on_leave_is_refused_and_nothing_is_lost(world: RosterWorld) -> None:
    day = clock.today() + ONE_DAY * 2
    take_leave(SYSTEM, practitioner=world.colleague, first=day, last=day)
    address = f"/desk/roster/28/{world.general.line_id}/{int(moment(day, NINE).timestamp())}"
    answer = world.mine_at_desk.post(address, {"taker": str(world.colleague.id)})
    assert answer.status_code == 422
    assert "Dr Kavita Menon is on leave then. Choose another colleague." in text_of(answer)
    assert f'value="{world.colleague.id}" selected' in answer.content.decode()


@pytest.mark.parametrize("who", ["doctor", "facility"])
def test_leave_is_noted_cancelled_and_noted_again(world: RosterWorld, who: str) -> None:
    own = who == "doctor"
    client = world.mine_at_desk if own else world.clients["facility"]
    address = "/desk/roster" if own else world.at("/roster")
    sent = {"do": "leave", **days(tomorrow(), tomorrow() + ONE_DAY)}
    sent |= {} if own else {"doctor": f"28.{world.mine.id}"}
    assert client.post(address, sent).status_code == 303
    twice = client.post(address, sent)
    assert twice.status_code == 422
    assert "Some of these days are leave already" in text_of(twice)
    past = client.post(address, sent | days(clock.today() - ONE_DAY))
    assert "This day is over" in text_of(past)
    [button] = re.findall(r'value="(cancel:[^"]+)"', client.get(address).content.decode())
    gone = client.post(address, {"do": button})
    assert LeaveDay.objects.count() == 0
    page = client.get(gone.headers["Location"]).content.decode()
    undo = page[page.index("notice--good") :].split("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo))
    assert client.post(address, fields).status_code == 303
    assert LeaveDay.objects.filter(practitioner_id=world.mine.id).count() == 2
    assert client.post(address, {"do": "cancel:nonsense"}).status_code == 404


def test_hours_are_compared_on_the_page_and_in_the_file(world: RosterWorld) -> None:
    day = clock.today().replace(day=1) - ONE_DAY * 10
    line = world.general.line
    Spell.objects.create(
        state_id=28,
        line_id=line.id,
        practitioner_id=world.away.id,
        practitioner_state_id=28,
        began_at=moment(day, NINE),
        ended_at=moment(day, ONE_PM),
    )
    client, month = world.clients["facility"], f"?month={day:%Y-%m}"
    page = text_of(client.get(world.at(f"/hours{month}")))
    assert "Dr Ravi Kumar Does not serve here any more: no plan is counted" in page
    assert "4 h 0 min +4 h 0 min" in page
    file = client.get(world.at(f"/hours.csv{month}"))
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(file.content.decode("utf-8-sig"))))
    of_ravi = [row["difference_minutes"] for row in rows if row["doctor"] == "Dr Ravi Kumar"]
    assert sorted(of_ravi) == ["0", "240"]
    now = text_of(client.get(world.at("/hours")))
    assert "On duty, counted up to now" in now
    assert "Planned ahead" in now
    for nonsense in (
        "?week=2026-W99",
        "?week=9999-W52",
        "?week=0001-W01",
        "?month=2026-13",
        "?week=%00",
    ):
        assert client.get(world.at(f"/hours{nonsense}")).status_code == 200
        assert client.get(world.at(f"/roster{nonsense}")).status_code == 200


def test_a_hubs_speciality_is_planned_like_an_opd(world: RosterWorld) -> None:
    Facility.objects.filter(state_id=28, id=world.hospital.id).update(is_hub=True)
    line = open_hub_speciality(
        SYSTEM,
        state_id=28,
        facility_id=world.hospital.id,
        speciality_code="general_medicine",
    )
    assign(SYSTEM, practitioner=world.mine, line=line)
    client = world.clients["facility"]
    address = f"/lines/28/{line.id}/doctors/28/{world.mine.id}/week"
    assert address in client.get(world.at("/roster")).content.decode()
    times = {"do": "save", "opens_0_0": "09:00", "closes_0_0": "13:00"}
    assert client.post(address, times).status_code == 303
    roster = text_of(client.get(world.at("/roster?week=2030-W02")))
    assert "for spokes" in roster
    assert "9:00 am– 1:00 pm" in roster


def test_the_roster_costs_few_statements(
    world: RosterWorld, django_assert_max_num_queries: Any
) -> None:
    for _number in range(3):
        line = factories.LineFactory.create(facility=world.hospital)
        factories.on_duty(factories.ClinicFactory.create(line=line))
    with django_assert_max_num_queries(19):
        world.clients["facility"].get(world.at("/roster"))
    with django_assert_max_num_queries(19):
        world.clients["facility"].get(world.at("/hours"))
    with django_assert_max_num_queries(19):
        world.mine_at_desk.get("/desk/roster")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits(language: str) -> None:
    world = RosterWorld()
    key: dict[str, Any] = {"state_id": 28, "facility_id": world.hospital.id}
    monday = clock.today() - ONE_DAY * clock.today().weekday() + ONE_DAY * 7
    add_holidays(SYSTEM, **key, first=monday, last=monday, reason="Guru Nanak Jayanti")
    taken = world.offered(monday + ONE_DAY * 2)
    accept_shift(
        factories.doctor(world.colleague), taker=world.colleague, state_id=28, offer_id=taken.id
    )
    world.offered(monday + ONE_DAY * 3)
    take_leave(
        SYSTEM, practitioner=world.mine, first=monday + ONE_DAY * 4, last=monday + ONE_DAY * 5
    )
    began = timezone.now() - datetime.timedelta(days=1)
    Spell.objects.filter(state_id=28, practitioner_id=world.mine.id).update(began_at=began)
    clients = [world.clients["facility"], world.mine_at_desk, world.colleague_at_desk]
    for client in clients:
        client.cookies["language"] = language
    facility, mine, colleague = clients
    shift = (
        f"/desk/roster/28/{world.general.line_id}/{int(moment(monday + ONE_DAY, NINE).timestamp())}"
    )
    answers = {
        "roster-facility": facility.get(world.at(f"/roster?week={monday:%G-W%V}&done=leave")),
        "roster-facility-wrong": facility.post(world.at("/roster"), {"do": "leave"}),
        "roster-hours": facility.get(world.at("/hours")),
        "roster-mine": mine.get("/desk/roster"),
        "roster-mine-wrong": mine.post("/desk/roster", {"do": "leave"}),
        "roster-asked": colleague.get("/desk/roster"),
        "roster-offer": mine.get(shift),
        "roster-offer-wrong": mine.post(shift, {}),
    }
    for name, answer in answers.items():
        assert answer.status_code in (200, 422), (name, answer.status_code)
    assert faults_in(answers, language) == []
