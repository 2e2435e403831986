"""Who answers complaints learns that some wait: once a day, by daylight, and nothing else."""

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from sanjeevani.directory.models import Facility, Role
from sanjeevani.directory.services import end_post
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.grievance import services
from sanjeevani.grievance.models import Grievance, HandlerTold
from sanjeevani.grievance.queries import Waiting
from sanjeevani.identity.models import Account
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.notifications.handlers import tell_handler, tell_handlers
from tests import factories
from tests.grievance.test_grievances import acting
from tests.web.public_world import administrator

pytestmark = pytest.mark.django_db


class Moment:
    """A clock that the test moves; it begins at ten in the morning in India."""

    now = datetime.datetime(2026, 6, 22, 4, 30, tzinfo=datetime.UTC)

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.now += datetime.timedelta(**time)


@pytest.fixture
def moment() -> Iterator[Moment]:
    """A day in June, and the states."""
    made = Moment()
    for code in (0, 28, 33):
        factories.StateFactory.create(lgd_code=code)
    with clock.driven_by(lambda: made.now):
        yield made


def complained(moment: Moment, state_id: int = 28, **more: Any) -> Grievance:
    """Somebody complains now."""
    made: Grievance = factories.GrievanceFactory.create(
        state_id=state_id, received_at=moment.now, text="Secret words", name="Lakshmi", **more
    )
    return made


def staffed(role: Role, facility: Facility, language: str = "en") -> Account:
    """The account of an administrator who has signed in before."""
    _post, actor = acting(role, facility)
    assert actor.account_id is not None
    Account.objects.filter(id=actor.account_id).update(language=language, password="x")
    return Account.objects.get(id=actor.account_id)


def told() -> list[str]:
    """The mobiles of who was told, once for each message."""
    return sorted(OutgoingMessage.objects.values_list("mobile", flat=True))


def newest() -> str:
    """What was said last."""
    message = OutgoingMessage.objects.order_by("queued_at").last()
    assert message is not None
    return message.text


def test_those_who_answer_are_told_and_nobody_else(moment: Moment) -> None:
    facility = factories.FacilityFactory.create()
    state = staffed(Role.STATE_ADMIN, facility, "hi")
    own = staffed(Role.FACILITY_ADMIN, facility)
    nation = staffed(Role.NATIONAL_ADMIN, factories.FacilityFactory(state_id=0))
    staffed(Role.FACILITY_ADMIN, factories.FacilityFactory.create())
    staffed(Role.STATE_ADMIN, factories.FacilityFactory(state_id=33))
    staffed(Role.OBSERVER, facility)
    staffed(Role.DOCTOR, facility)
    tell_handlers()
    assert told() == []

    complained(moment, facility_id=facility.id)
    complained(moment, facility_id=facility.id, kind="privacy")
    moment.wait(hours=1)
    tell_handlers()
    assert told() == sorted([state.mobile, own.mobile])
    by_mobile = {one.mobile: one for one in OutgoingMessage.objects.all()}
    assert "1 new, 0 due within a day, 0 overdue" in by_mobile[own.mobile].text
    assert by_mobile[state.mobile].language == "hi"
    for message in by_mobile.values():
        assert message.text.endswith("/grievances")
        assert "Secret" not in message.text
        assert "Lakshmi" not in message.text

    complained(moment, state_id=0)
    tell_handlers()
    assert told() == sorted([state.mobile, own.mobile, nation.mobile])


def test_a_state_without_an_administrator_is_the_nations(moment: Moment) -> None:
    nation = staffed(Role.NATIONAL_ADMIN, factories.FacilityFactory(state_id=0))
    post, _actor = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
    complained(moment)
    tell_handlers()
    assert told() == []
    end_post(SYSTEM, state_id=28, post_id=post.id)
    tell_handlers()
    assert told() == [nation.mobile]


def test_once_a_day_and_again_only_for_what_is_new_or_overdue(moment: Moment) -> None:
    staffed(Role.STATE_ADMIN, factories.FacilityFactory.create())
    first = complained(moment, due_at=moment.now + datetime.timedelta(days=5))
    for _again in range(2):
        tell_handlers()
        moment.wait(hours=1)
    complained(moment, due_at=moment.now + datetime.timedelta(days=30))
    tell_handlers()
    assert len(told()) == 1

    # What came after the message is told the next day.
    moment.wait(days=1)
    tell_handlers()
    assert "1 new, 0 due within a day, 0 overdue" in newest()

    moment.wait(days=1)
    tell_handlers()
    assert len(told()) == 2

    moment.wait(days=2)
    tell_handlers()
    assert "0 new, 1 due within a day, 0 overdue" in newest()
    moment.wait(days=1)
    tell_handlers()
    assert "0 new, 0 due within a day, 1 overdue" in newest()
    assert len(told()) == 4

    _post, admin = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
    services.answer(admin, state_id=28, grievance_id=first.id, text="Sorry")
    moment.wait(days=1)
    tell_handlers()
    assert len(told()) == 4

    services.reopen(SYSTEM, number=first.number, reason="Again")
    tell_handlers()
    assert len(told()) == 5


def test_a_job_that_runs_twice_at_once_tells_once(moment: Moment) -> None:
    account = staffed(Role.STATE_ADMIN, factories.FacilityFactory.create())
    for _run in range(2):
        tell_handler(SYSTEM, account=account, waiting=Waiting(1, 1, 0, 0))
    assert len(told()) == 1
    assert HandlerTold.objects.get().day == clock.today()


@pytest.mark.parametrize(("hours", "count"), [(-2, 0), (0, 1), (8, 1), (9, 0), (13, 0)])
def test_nobody_is_woken(moment: Moment, hours: int, count: int) -> None:
    staffed(Role.STATE_ADMIN, factories.FacilityFactory.create())
    complained(moment)
    moment.wait(hours=hours)
    tell_handlers()
    assert len(told()) == count
    for message in OutgoingMessage.objects.all():
        assert message.expires_at == datetime.datetime(2026, 6, 22, 13, 30, tzinfo=datetime.UTC)


@pytest.mark.parametrize("lacks", ["mobile", "password", "is_active"])
def test_who_cannot_read_them_hears_nothing(moment: Moment, lacks: str) -> None:
    account = staffed(Role.STATE_ADMIN, factories.FacilityFactory.create())
    Account.objects.filter(id=account.id).update(**{lacks: False if lacks == "is_active" else ""})
    complained(moment)
    tell_handlers()
    assert told() == []


@pytest.mark.parametrize(
    ("role", "state_id", "address"),
    [
        (Role.STATE_ADMIN, 28, "/state"),
        (Role.NATIONAL_ADMIN, 0, "/nation"),
        (Role.FACILITY_ADMIN, 28, "/facility"),
    ],
)
def test_the_first_page_says_how_many_wait(role: Role, state_id: int, address: str) -> None:
    for code in (0, 28):
        factories.StateFactory.create(lgd_code=code)
    client = Client()
    hospital = factories.FacilityFactory.create(state_id=state_id)
    administrator(role, state_id, client, hospital)
    assert "for an answer" not in client.get(address, follow=True).content.decode()
    now = clock.now()
    for days in (-1, 1, 9):
        factories.GrievanceFactory.create(
            state_id=state_id,
            facility_id=hospital.id if role == Role.FACILITY_ADMIN else None,
            due_at=now + datetime.timedelta(days=days),
        )
    page = client.get(address, follow=True)
    assert page.status_code == 200
    assert "3 complaints wait for an answer" in page.content.decode()
    assert "Overdue: 1" in page.content.decode()
