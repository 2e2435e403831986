"""The generator builds what it promises, from a seed, and once."""

import time
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from sanjeevani.demo.generator import Generator
from sanjeevani.directory.models import (
    Clinic,
    ClinicHours,
    Facility,
    Practitioner,
    ServedState,
    State,
)
from sanjeevani.directory.queries import clinics_serving, hubs_for
from sanjeevani.directory.services import load_states
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.foundation.sharding import across_states
from sanjeevani.identity.models import Account
from sanjeevani.identity.services import sign_in_staff
from sanjeevani.roster.models import Assignment, LeaveDay, OfferStatus, ShiftOffer
from sanjeevani.roster.queries import offers_of
from sanjeevani.terminology.models import Speciality

KARNATAKA, TAMIL_NADU = 29, 33


@pytest.fixture
def sign_ins(db: None, settings: LazySettings, tmp_path: Path) -> Path:
    """Reference data, and the file that the command writes."""
    settings.DATA_DIR = tmp_path
    call_command("load_reference", stdout=StringIO())
    return tmp_path / "demo-sign-ins.txt"


def load(*arguments: str) -> str:
    """Run the command; return what it says."""
    output = StringIO()
    call_command("load_demo", *arguments, stdout=output)
    return output.getvalue()


def test_the_small_demo_can_be_used_at_any_hour(sign_ins: Path) -> None:
    before = time.process_time()
    load()
    assert time.process_time() - before < 3
    assert sign_ins.stat().st_mode & 0o077 == 0
    offered = clinics_serving(KARNATAKA)
    assert len(offered) == 4
    assert all(clinic.is_open for clinic in offered)
    assert [clinic.clinic.name for clinic in clinics_serving(TAMIL_NADU)].count(
        "National Defence OPD"
    ) == 1
    with across_states():
        assert not Practitioner.objects.filter(verified_at__isnull=True).exists()
        doctors = set(Practitioner.objects.values_list("id", flat=True))
        assert len(doctors) == 42
        assert set(Assignment.objects.values_list("practitioner_id", flat=True)) == doctors
        sub_centre = Facility.objects.get(state_id=KARNATAKA, kind="sub_centre")
        swap = ShiftOffer.objects.get(status=OfferStatus.OPEN)
    [asked] = offers_of(swap.taker_id)
    assert asked == swap
    assert LeaveDay.objects.count() == 2
    hubs = {choice.hub.kind for choice in hubs_for(KARNATAKA, sub_centre.id)}
    assert hubs == {"primary_health_centre", "district_hospital"}


def test_the_printed_sign_ins_work(sign_ins: Path) -> None:
    load()
    first, *lines = sign_ins.read_text().splitlines()
    password = first.rpartition(" ")[2]
    login = lines[0].split()[0]
    signed_in = sign_in_staff(Actor(ActorKind.ANONYMOUS), login=login, password=password)
    assert signed_in.session.display_name == "National administrator"


def test_a_second_run_changes_nothing(sign_ins: Path) -> None:
    load()
    written, accounts = sign_ins.read_text(), set(Account.objects.values_list("id", flat=True))
    assert "nothing changed" in load("--size", "nation")
    assert set(Account.objects.values_list("id", flat=True)) == accounts
    assert sign_ins.read_text() == written


def test_the_same_seed_makes_the_same_people(sign_ins: Path) -> None:
    def people(seed: int) -> list[tuple[str, str]]:
        generator = Generator(
            list(State.objects.order_by("lgd_code")),
            list(Speciality.objects.all()),
            seed=seed,
            password="",
            now=clock.now(),
        )
        doctors = generator.nation().practitioners
        return [(doctor.registration_number, doctor.name) for doctor in doctors]

    load_states()
    assert people(7) == people(7) != people(8)


def test_the_nation_of_june_2021(sign_ins: Path) -> None:
    started = time.monotonic()
    load("--size", "nation")
    assert time.monotonic() - started < 60
    with across_states():
        assert Clinic.objects.exclude(state_id=0).count() == 375
        assert Clinic.objects.exclude(state_id=0).values("state_id").distinct().count() == 31
        assert Practitioner.objects.count() == 1600
        assert Practitioner.objects.filter(state_id=0).count() == 100
        assert Clinic.objects.filter(state_id=0).count() == 1
        clinics_with_hours = set(ClinicHours.objects.values_list("clinic_id", flat=True))
        assert len(clinics_with_hours) == 376
    defence = ServedState.objects.filter(clinic_state_id=0)
    assert defence.count() == State.objects.count() - 1 == 36
