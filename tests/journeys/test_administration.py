"""The service set up from the screens alone, from a closed state to its first patient."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import demo_password
from tests.journeys.people import Administrator, Doctor, Patient, next_mobile
from tests.product import Product

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewPatient = Callable[..., Patient]
NewDoctor = Callable[..., Doctor]
NewPage = Callable[..., Page]
Look = Callable[[Page, str], None]

UTTARAKHAND, KARNATAKA, KERALA, TAMIL_NADU = 5, 29, 32, 33
PASSWORD = "three words together"


@pytest.fixture
def administrator(new_page: NewPage, product: Product) -> Callable[[], Administrator]:
    """Make somebody at a desk who has not signed in."""
    return lambda: Administrator(new_page(phone=False), product.url)


def test_a_state_is_opened_and_serves_its_first_patient(
    administrator: Callable[[], Administrator],
    new_patient: NewPatient,
    product: Product,
    look: Look,
) -> None:
    began = time.monotonic()
    nation = administrator()
    nation.sign_in("national.admin", demo_password(product))
    look(nation.page, "admin-01-states")
    nation.press("Kerala", first=True)
    nation.press("Open Kerala")
    nation.press("Appoint an administrator")
    mobile = next_mobile()
    nation.fill(
        {
            "name": "Lakshmi Menon",
            "mobile": mobile,
            "address": "General Hospital Junction",
            "district": "Thiruvananthapuram",
        }
    )
    nation.press("Appoint and send the link")
    look(nation.page, "admin-02-appointed")

    state = administrator()
    state.accept(mobile, PASSWORD)
    look(state.page, "admin-03-overview")
    state.press("Add a facility")
    state.fill(
        {
            "name": "District Hospital, Kollam",
            "kind": "district_hospital",
            "address": "Hospital Road",
            "district": "Kollam",
        }
    )
    state.press("Add the facility")
    state.press("Open an OPD")
    state.fill(
        {
            "name": "General medicine, Kollam",
            "speciality": "general_medicine",
            "opens_0_0": "00:00",
            "closes_0_0": "00:00",
        }
    )
    state.press("Copy Monday to every day")
    state.press("Open the OPD")
    look(state.page, "admin-04-opd")
    opd = state.page.url.partition("?")[0]
    state.press("Doctors")
    state.press("Enrol a doctor")
    doctors_mobile = next_mobile()
    state.fill(
        {
            "name": "Dr Anil Nair",
            "gender": "male",
            "qualification": "MBBS",
            "council": "Travancore Cochin Medical Council",
            "registration_number": f"TCMC/{doctors_mobile[-6:]}",
            "speciality": "general_medicine",
            "languages": "ml",
            "address": "Hospital Road, Kollam",
            "contact": "0474 2790000",
            "mobile": doctors_mobile,
        }
    )
    state.press("Enrol")
    look(state.page, "admin-05-to-verify")
    state.press("I checked it: verify")
    state.press("Give a post")
    state.page.get_by_label(re.compile("District Hospital, Kollam")).check()
    state.press("Give the post")
    state.page.goto(opd)
    state.press("Doctors and their weeks Doctors")
    state.press("Add doctors")
    state.press("Add Dr Anil Nair")
    look(state.page, "admin-06-serves")

    first = administrator()
    first.accept(doctors_mobile, PASSWORD)
    doctor = Doctor.signed_in(first.page)
    doctor.go_on_duty()

    patient = new_patient()
    patient.sign_in()
    patient.live_in(KERALA)
    patient.describe("Devi")
    patient.agree()
    patient.no_danger()
    patient.complain("fever")
    patient.choose_opd("General medicine, Kollam")
    assert patient.take_token() == 1
    doctor.meet(patient)
    presses = nation.presses + state.presses + first.presses
    assert presses <= 30
    print(f"{presses} presses, {time.monotonic() - began:.0f} s")  # noqa: T201


@pytest.mark.verify
def test_a_national_opd_is_opened_to_one_state_then_three_then_all(
    administrator: Callable[[], Administrator],
    new_patient: NewPatient,
    new_doctor: NewDoctor,
    product: Product,
    look: Look,
) -> None:
    """A patient of Tamil Nadu is served by a doctor of Uttarakhand, in an OPD of the nation."""
    nation = administrator()
    nation.sign_in("national.admin", demo_password(product))
    nation.press("National OPDs")
    nation.press("Facilities", first=True)
    nation.press("Ministry of Defence, Armed Forces Medical Services")
    nation.press("Open an OPD")
    nation.fill(
        {
            "name": "Veterans' OPD",
            # Not what the journeys beside this one are recommended first.
            "speciality": "geriatrics",
            "opens_0_0": "00:00",
            "closes_0_0": "00:00",
        }
    )
    nation.press("Copy Monday to every day")
    nation.press("Open the OPD")
    nation.press("Doctors and their weeks Doctors")
    nation.press("Add doctors")
    nation.fill({"state": str(UTTARAKHAND)})
    nation.press("Search")
    look(nation.page, "admin-11-doctors-of-another-state")
    # Of a line in which no other test leaves patients.
    row = nation.page.locator("main tbody tr").filter(has_text="Paediatrics").last
    name = row.locator("th").inner_text().split("\n")[0]
    nation.press(f"Add {name}")
    nation.press("Veterans' OPD")
    nation.press("Open to further states States served")

    patient = new_patient()
    patient.sign_in()
    patient.live_in(TAMIL_NADU)
    patient.describe("Meenakshi")
    patient.agree()
    patient.no_danger()
    patient.complain("fever")
    opds = patient.page.url

    def offered() -> bool:
        patient.page.goto(opds)
        return patient.page.get_by_text("Veterans' OPD").count() > 0

    served = []
    for codes in ([KARNATAKA], [TAMIL_NADU, KERALA]):
        for code in codes:
            nation.page.locator(f"input[name=states][value='{code}']").check()
        nation.press("Open to those chosen")
        expect(nation.page.locator(".notice--good").first).to_be_visible()
        served.append(offered())
    assert served == [False, True]
    look(nation.page, "admin-12-three-states")
    nation.page.get_by_text("Open to all states").click()
    nation.press("Open to the whole country")
    expect(nation.page.get_by_text("It serves the whole country.")).to_be_visible()

    login = login_of(nation, name)
    doctor = new_doctor(login)
    doctor.go_on_duty()
    patient.page.goto(opds)
    patient.choose_opd("Veterans' OPD")
    assert patient.take_token() == 1
    doctor.meet(patient)


def login_of(nation: Administrator, name: str) -> str:
    """Read a doctor's user name where the administrator reads it."""
    nation.page.goto(f"/states/{UTTARAKHAND}/doctors?words={name}")
    nation.press(name)
    text = nation.page.locator("main").inner_text()
    found = re.search(r"User name\s+(\S+)", text)
    assert found
    return found.group(1)
