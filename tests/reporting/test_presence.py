"""OPDs and doctors on duty are counted, doctors of two tenants once."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from sanjeevani.directory.models import Line, LineKind
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.outbox import deliver, number_facts
from sanjeevani.reporting import presence
from sanjeevani.reporting.models import Presence
from sanjeevani.reporting.presence import count_presence
from sanjeevani.reporting.queries import on_duty
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import assign, change_duty
from sanjeevani.web.public.figures import current
from tests import factories

pytestmark = pytest.mark.django_db


def test_who_is_on_duty_is_counted_when_duty_changes() -> None:
    assert on_duty().as_of is None
    clinic = factories.ClinicFactory.create()
    national = factories.ClinicFactory.create(
        line=factories.LineFactory.create(facility=factories.FacilityFactory.create(state_id=0))
    )
    factories.ClinicFactory.create()
    doctor = factories.on_duty(clinic)
    number_facts()
    deliver("presence")
    assert (on_duty().opds, on_duty().opds_attended, on_duty().doctors) == (3, 1, 1)

    actor = factories.doctor(doctor)
    change_duty(actor, practitioner=doctor, to=DutyStatus.OFF)
    line = Line.objects.get(state_id=0, id=national.line_id)
    assign(SYSTEM, practitioner=doctor, line=line)
    change_duty(actor, practitioner=doctor, to=DutyStatus.ON)
    number_facts()
    deliver("presence")
    assert (on_duty(0).doctors, on_duty(28).doctors, on_duty().doctors) == (1, 1, 1)
    assert (on_duty().opds_attended, on_duty(28).opds) == (2, 2)

    change_duty(actor, practitioner=doctor, to=DutyStatus.BREAK)
    count_presence()
    assert (on_duty(28).doctors, on_duty().doctors, on_duty().opds) == (0, 0, 3)


def test_a_doctor_whom_only_spokes_ask_is_on_duty_at_no_opd() -> None:
    factories.ClinicFactory.create()
    factories.serving_on(factories.LineFactory.create(kind=LineKind.HUB))
    count_presence()
    assert (on_duty(28).doctors, on_duty().doctors) == (1, 1)
    assert (on_duty(28).opds_attended, on_duty(28).opds) == (0, 1)


def test_two_counts_at_once_leave_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The listener and the task of every minute meet."""
    factories.on_duty(factories.ClinicFactory.create())
    earlier = timezone.now()
    count, store = presence.count_presence, Presence.objects.bulk_create

    def other_is_in_between(*rows: Any, **options: Any) -> Any:
        monkeypatch.undo()
        stored = store(*rows, **options)
        with clock.driven_by(lambda: earlier):
            count()
        return stored

    monkeypatch.setattr(Presence.objects, "bulk_create", other_is_in_between)
    count_presence()
    assert (on_duty(28).doctors, on_duty().doctors) == (1, 1)


def test_figures_say_when_they_were_counted_and_not_when_they_are_read() -> None:
    """While nobody counts, a page that said the present minute would pass off old figures."""
    counted = clock.now()
    with clock.driven_by(lambda: counted):
        count_presence()
    with clock.driven_by(lambda: counted + datetime.timedelta(hours=3)):
        assert current().as_of == counted
