"""The public pages in a real browser: accessible, in both languages, on phones and televisions."""

import pytest
from django.test import Client

from sanjeevani.consultation.services import call_next
from sanjeevani.directory.models import Role
from sanjeevani.foundation import clock
from sanjeevani.identity.models import Account
from tests import factories
from tests.browsers import TELEVISION, chromium
from tests.web.looks import LANGUAGES, faults_in, open_page
from tests.web.public_world import PublicWorld, administrator, month_of_figures

pytestmark = pytest.mark.django_db


def addresses() -> dict[str, str]:
    """Every page with something on it, by a name for its picture."""
    world = PublicWorld()
    month_of_figures(world.general)
    answered = factories.GrievanceFactory.create(
        status="answered",
        answer="We are sorry.\nIt will not happen again.",
        answered_at=clock.now(),
    )
    waiting = factories.GrievanceFactory.create(facility_id=world.hospital.id)
    held = factories.requested(world.children, patient := factories.PatientFactory.create())
    doctor = factories.on_duty(world.children)
    call_next(factories.doctor(doctor), practitioner=doctor)
    factories.requested(
        world.children, factories.PatientFactory.create(account_id=patient.account_id)
    )
    own = Client()
    factories.sign_in(own, Account.objects.get(id=patient.account_id))
    state_admin, observer, nation = Client(), Client(), Client()
    administrator(Role.STATE_ADMIN, 28, state_admin)
    administrator(Role.OBSERVER, 28, observer)
    administrator(Role.OBSERVER, 0, nation)
    CLIENTS.update({"own": own, "state_admin": state_admin, "observer": observer, "nation": nation})
    return {
        "landing": "/",
        "about": "/about",
        "how-to-use": "/how-to-use",
        "privacy": "/privacy",
        "timetable-form": "/timetable",
        "timetable": "/timetable?state=28",
        "timetable-wrong": "/timetable?state=99",
        "figures": "/figures",
        "earlier": "/figures/earlier",
        "board": world.board,
        "grievance": "/grievance",
        "grievance-wrong": "/grievance?number=28",
        "grievance-unknown": "/grievance/28-AAAA-BBBB-CCCC",
        "grievance-new": f"/grievance/{waiting.number}?new=1",
        "grievance-answered": f"/grievance/{answered.number}",
        "own:grievance-about": f"/consultations/28/{held.id}/grievance",
        "own:landing-open": "/",
        "state_admin:grievances": "/grievances",
        "state_admin:grievance-one": f"/grievances/28/{waiting.id}",
        "observer:figures-state": "/figures/state",
        "nation:figures-nation": "/figures/nation",
    }


CLIENTS: dict[str, Client] = {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_accessible_and_fits(language: str) -> None:
    answers = {}
    for key, address in addresses().items():
        who, _, name = key.rpartition(":")
        client = CLIENTS[who] if who else Client()
        client.cookies["language"] = language
        answers[name] = client.get(address)
        assert answers[name].status_code in (200, 404, 422), (address, answers[name].status_code)
    assert faults_in(answers, language) == []


def test_the_board_fits_on_a_television() -> None:
    answer = Client().get(PublicWorld().board)
    with chromium() as browser:
        page = open_page(browser, answer)
        page.set_viewport_size(TELEVISION)
        assert page.evaluate("document.documentElement.scrollHeight") <= 1080
        called = "getComputedStyle(document.querySelector('.board-line__now dd')).fontSize"
        assert page.evaluate(f"parseFloat({called})") >= 90
