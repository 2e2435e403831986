"""Puts a generated demo into the database, all of it or nothing."""

import datetime
import secrets
from collections import Counter
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.db import transaction

from sanjeevani.demo.generator import Demo, Generator
from sanjeevani.directory.models import (
    Clinic,
    ClinicHours,
    Facility,
    HubLink,
    Line,
    Post,
    Practitioner,
    Registration,
    ServedState,
    State,
)
from sanjeevani.directory.services import load_states
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.identity.models import Account, Login
from sanjeevani.patients.models import Patient
from sanjeevani.roster.leave import take_leave
from sanjeevani.roster.models import Assignment
from sanjeevani.roster.planning import ONE_DAY, moment
from sanjeevani.roster.services import plan_week
from sanjeevani.roster.swaps import offer_shift
from sanjeevani.terminology.models import Speciality

SIGN_INS_SHOWN = 40


def is_loaded() -> bool:
    """Tell whether this database has a demo."""
    return Login.objects.filter(key="staff:national.admin").exists()


@transaction.atomic
def load(size: str, seed: int, sign_ins: Path) -> Demo:
    """Generate a demo of `size` (small, nation), store it, and write its sign-ins to a file.

    Patients sign in by a code, which the development inbox shows; staff by one password made up
    for this database.
    """
    load_states()
    password = _speakable_password()
    generator = Generator(
        list(State.objects.order_by("lgd_code")),
        list(Speciality.objects.all()),
        seed=seed,
        password=make_password(password),
        now=clock.now(),
    )
    demo = generator.nation() if size == "nation" else generator.small()
    State.objects.filter(lgd_code__in=demo.opened_states).update(opened_at=clock.now())
    Account.objects.bulk_create(demo.accounts)
    Login.objects.bulk_create(demo.logins)
    Facility.objects.bulk_create(demo.facilities)
    Practitioner.objects.bulk_create(demo.practitioners)
    Registration.objects.bulk_create(demo.registrations)
    Post.objects.bulk_create(demo.posts)
    Line.objects.bulk_create(demo.lines)
    Clinic.objects.bulk_create(demo.clinics)
    ClinicHours.objects.bulk_create(demo.hours)
    HubLink.objects.bulk_create(demo.hub_links)
    ServedState.objects.bulk_create(demo.served)
    Assignment.objects.bulk_create(demo.assignments)
    Patient.objects.bulk_create(demo.patients)
    _plan(demo)
    sign_ins.touch(mode=0o600)
    sign_ins.write_text(_sign_ins(demo, password), encoding="utf-8")
    return demo


def _plan(demo: Demo) -> None:
    """Give the first OPD with three doctors a roster, with a leave and an open swap to look at."""
    staffed = Counter(one.line_id for one in demo.assignments)
    line = next(line for line in demo.lines if staffed[line.id] >= 3)
    people = {one.id: one for one in demo.practitioners}
    first, second, third = [
        people[one.practitioner_id] for one in demo.assignments if one.line_id == line.id
    ][:3]
    for who, opens, closes in ((first, 9, 13), (second, 14, 18), (third, 9, 13)):
        week = [
            Opening(weekday=day, opens=datetime.time(opens), closes=datetime.time(closes))
            for day in range(7)
        ]
        plan_week(SYSTEM, practitioner_id=who.id, line=line, shifts=week)
    day = clock.today() + ONE_DAY * 3
    take_leave(SYSTEM, practitioner=third, first=day, last=day + ONE_DAY)
    offer_shift(
        Actor(ActorKind.STAFF, account_id=first.account_id, state_id=first.state_id),
        giver=first,
        line=line,
        begins_at=moment(day, datetime.time(9)),
        taker=second,
    )


def _speakable_password() -> str:
    """Return three random words and a number: 44 bits, and easy to type."""
    words = [
        "".join(secrets.choice("bdfgjklmnprstvz") + secrets.choice("aeiou") for _ in range(2))
        for _ in range(3)
    ]
    return f"{'-'.join(words)}-{secrets.randbelow(100):02}"


def _sign_ins(demo: Demo, password: str) -> str:
    shown = demo.staff_sign_ins[:SIGN_INS_SHOWN]
    width = max(len(login) for login, _who in shown)
    lines = [
        f"Demo sign-ins. Staff, all with the password {password}",
        *(f"  {login:<{width}}  {who}" for login, who in shown),
    ]
    if len(demo.staff_sign_ins) > len(shown):
        lines.append(f"  and {len(demo.staff_sign_ins) - len(shown)} more of the same kind")
    lines += [
        "Patients: any Indian mobile number; the code arrives in the development inbox. Prepared:",
        *(
            f"  {account.mobile.removeprefix('+91')}  {account.display_name} and family"
            for account in demo.accounts
            if account.mobile
        ),
    ]
    return "\n".join(lines) + "\n"
