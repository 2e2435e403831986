"""An import on real PostgreSQL: what comes in, what is left out, again, resumed, and taken back."""

import contextlib
import datetime
import io
import signal
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.test import Client

from sanjeevani.demo.network_files import NetworkFiles, write_network
from sanjeevani.directory import bulk
from sanjeevani.directory.models import (
    AwaitedPost,
    Facility,
    HubLink,
    Line,
    Post,
    Practitioner,
    Registration,
    Role,
)
from sanjeevani.directory.queries import hubs_for, posts_of
from sanjeevani.directory.services import end_post, verify_practitioner
from sanjeevani.directory.staff import appoint_known
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import NotPermitted, Stale
from sanjeevani.foundation.logs import Formatter
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.sharding import across_states
from sanjeevani.identity.models import Account, Login
from sanjeevani.identity.services import set_password
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.onboarding import proceeding, services, tasks
from sanjeevani.onboarding.errors import FilesGone
from sanjeevani.onboarding.models import ImportedRecord, ImportFinding, ImportStatus, NetworkImport
from sanjeevani.onboarding.proceeding import claim, proceed, waiting
from sanjeevani.onboarding.queries import all_findings
from sanjeevani.onboarding.services import GivenFile, begin, start_import
from sanjeevani.onboarding.tasks import go_on
from sanjeevani.patients.spokes import take_in
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    FacilityFactory,
    PatientFactory,
    PostFactory,
    PractitionerFactory,
    SpecialityFactory,
    StateFactory,
    enter,
)

TABLES = (Facility, Line, HubLink, Post, AwaitedPost, Practitioner, Registration, Account, Login)


@pytest.fixture(autouse=True)
def nation(db: None) -> None:
    """Two open states, National, and the specialities."""
    now = clock.now()
    StateFactory(lgd_code=0, iso_3166_2="IN", opened_at=now)
    StateFactory(opened_at=now)
    StateFactory(lgd_code=TAMIL_NADU, opened_at=now)
    for code in ("general_medicine", "paediatrics", "obstetrics_gynaecology", "dermatology"):
        SpecialityFactory(code=code, names={"en": code.replace("_", " ")})


def counted() -> dict[str, int]:
    """How many rows each table has."""
    with across_states():
        return {model.__name__: model._default_manager.count() for model in TABLES}


def given(*texts: str) -> list[GivenFile]:
    """Files of some CSV texts."""
    return [
        GivenFile(f"{number}.csv", io.BytesIO(text.encode())) for number, text in enumerate(texts)
    ]


def brought_in(files: list[GivenFile], state_id: int = 0, actor: Actor = SYSTEM) -> NetworkImport:
    """Check files and bring them in."""
    started = start_import(actor, state_id=state_id, files=files)
    worked(started)
    begin(actor, state_id=state_id, import_id=started.id)
    return worked(started)


def worked(started: NetworkImport) -> NetworkImport:
    """Work on an import until it waits for a person."""
    claimed = claim(started.state_id, started.id)
    assert claimed is not None
    return proceed(claimed)


def codes(ended: NetworkImport) -> list[tuple[int, str]]:
    """The findings as lines and codes."""
    rows = ImportFinding.objects.filter(state_id=ended.state_id, import_id=ended.id)
    return list(rows.order_by("sheet", "line", "id").values_list("line", "code"))


def network(folder: Path, **more: Any) -> tuple[list[GivenFile], NetworkFiles]:
    """A small network in files."""
    sizes: dict[str, Any] = {"spokes": 300, "hubs": 40, "staff": 500, "broken": 0.1} | more
    written = write_network(folder, states=[ANDHRA_PRADESH, TAMIL_NADU], **sizes)
    return [GivenFile(path.name, io.BytesIO(path.read_bytes())) for path in written.paths], written


def reported(ended: NetworkImport) -> dict[str, set[int]]:
    """The lines left out, by file."""
    found: dict[str, set[int]] = {}
    for finding in all_findings(ended):
        if finding.is_error:
            found.setdefault(finding.place, set()).add(finding.line)
    return found


FACILITIES = """code,name,kind,district,address,hub,spoke,specialities
HUB1,District Hospital,DH,Guntur,Hospital Road,yes,yes,general medicine
MC1,Medical College,medical_college,Guntur,College Road,yes,no,general_medicine|paediatrics
HWC1,Centre One,HWC,Guntur,Village One,no,yes,
"""
LINKS = """spoke_code,hub_code,speciality,place
HWC1,HUB1,,1
HWC1,MC1,paediatrics,2
HUB1,MC1,,1
"""
STAFF = """user_name,name,mobile,role,facility_code,gender,qualification,council,\
registration_number,speciality,languages,contact
sunita,Sunita Devi,9876543210,health_worker,HWC1,,,,,,,
dr.asha,Dr Asha Rao,9876543211,doctor,HUB1,female,MBBS,AP Medical Council,APMC/1,\
general_medicine,hi|en,asha@demo.invalid
"""


def refusal_of(ended: NetworkImport) -> str:
    """The code of why an import was not done."""
    assert ended.refusal is not None
    code: str = ended.refusal["code"]
    return code


def test_a_state_comes_in_from_three_files(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ended = brought_in(given(STAFF, LINKS, FACILITIES), ANDHRA_PRADESH)
    assert (ended.status, codes(ended)) == (ImportStatus.DONE, [])
    centre = Facility.objects.get(state_id=ANDHRA_PRADESH, code="HWC1")
    assert [choice.hub.code for choice in hubs_for(ANDHRA_PRADESH, centre.id)] == ["HUB1", "MC1"]
    sunita = Account.objects.get(login="sunita")
    assert [post.role for post in posts_of(sunita.id)] == [Role.HEALTH_WORKER]
    assert not OutgoingMessage.objects.exists()
    assert not default_storage.exists(ended.sheets[0]["path"])


def test_a_doctors_post_begins_with_the_verification() -> None:
    brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    doctor = Practitioner.objects.get(state_id=ANDHRA_PRADESH)
    assert doctor.verified_at is None
    assert posts_of(doctor.account_id) == []
    verify_practitioner(SYSTEM, state_id=ANDHRA_PRADESH, practitioner_id=doctor.id)
    assert [post.role for post in posts_of(doctor.account_id)] == [Role.DOCTOR]
    assert OutgoingMessage.objects.get().mobile == "+919876543211"
    before = counted()
    again = brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    assert (counted(), codes(again)) == (before, [(0, "spokes_without_hub")])


def test_every_broken_row_is_reported_and_the_others_come_in(tmp_path: Path) -> None:
    files, written = network(tmp_path)
    ended = brought_in(files)
    # A link or post of a facility that was left out cannot come in either.
    found = reported(ended)
    assert found["facilities.csv"] == written.broken["facilities.csv"]
    for name in ("hub_links.csv", "staff.csv"):
        assert found[name] >= written.broken[name]
        unknown = {line for line, code in codes(ended) if code == "unknown_facility"}
        assert found[name] - written.broken[name] <= unknown
    counts = ended.counts
    assert counts["facilities"]["new"] == counts["facilities"]["rows"] - len(
        written.broken["facilities.csv"]
    )
    with across_states():
        assert Facility.objects.count() == counts["facilities"]["new"]
        assert HubLink.objects.count() == counts["hub_links"]["new"]
        assert Post.objects.count() + AwaitedPost.objects.count() == counts["staff"]["new"]
        assert set(Post.objects.values_list("account_id", flat=True)) | set(
            Practitioner.objects.values_list("account_id", flat=True)
        ) == set(Account.objects.values_list("id", flat=True))


def test_a_check_stores_nothing_and_finds_what_the_import_finds(tmp_path: Path) -> None:
    files, _written = network(tmp_path)
    before = counted()
    started = start_import(SYSTEM, state_id=0, files=files)
    checked = worked(started)
    assert (checked.status, counted()) == (ImportStatus.CHECKED, before)
    found, counts = codes(checked), checked.counts
    begin(SYSTEM, state_id=0, import_id=started.id)
    ended = worked(started)
    assert (codes(ended), ended.counts) == (found, counts)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    files, _written = network(tmp_path)
    first = brought_in(files)
    before = counted()
    again = brought_in(files)
    assert counted() == before
    assert all(kind["new"] == 0 for kind in again.counts.values())
    assert reported(again) == reported(first)


class Killed(BaseException):
    """The process dies."""


def killed_in(started: NetworkImport, batch: int) -> None:
    """Let a process claim an import, and die in the given batch of it."""
    done = 0

    def die(_running: NetworkImport) -> None:
        nonlocal done
        done += 1
        if done == batch:
            raise Killed

    claimed = claim(0, started.id)
    assert claimed is not None
    with pytest.raises(Killed):
        proceed(claimed, die)


@pytest.mark.parametrize("batches", [1, 3, 6, 9])
def test_a_killed_import_goes_on_where_it_stopped(
    tmp_path: Path, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proceeding, "BATCH", 100)
    files, _written = network(tmp_path)
    started = start_import(SYSTEM, state_id=0, files=files)
    checked = worked(started)
    expected, counts = codes(checked), checked.counts
    begin(SYSTEM, state_id=0, import_id=started.id)
    killed_in(started, batches)
    assert claim(0, started.id) is None, "its time is not over yet"
    assert waiting() == []
    NetworkImport.objects.filter(state_id=0, id=started.id).update(leased_until=clock.now())
    assert waiting() == [(0, started.id)]
    ended = worked(started)
    assert (codes(ended), ended.counts) == (expected, counts)
    with across_states():
        assert Facility.objects.count() == counts["facilities"]["new"]
        assert HubLink.objects.count() == counts["hub_links"]["new"]


@pytest.mark.parametrize("batches", [1, 4, 7])
def test_a_killed_check_finds_what_a_whole_one_finds(
    tmp_path: Path, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links and staff name facilities of the same files, which a check has stored nowhere."""
    monkeypatch.setattr(proceeding, "BATCH", 100)
    files, _written = network(tmp_path)
    whole = worked(start_import(SYSTEM, state_id=0, files=files))
    started = start_import(SYSTEM, state_id=0, files=files)
    killed_in(started, batches)
    NetworkImport.objects.filter(state_id=0, id=started.id).update(leased_until=clock.now())
    ended = worked(started)
    assert ended.status == ImportStatus.CHECKED
    assert (codes(ended), ended.counts) == (codes(whole), whole.counts)


def test_a_batch_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES, STAFF))
    worked(started)
    begin(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise IntegrityError("somebody was faster, again and again")

    monkeypatch.setattr(services, "enrol_staff", fail)
    with pytest.raises(IntegrityError):
        worked(started)
    assert counted()["Account"] == 0
    shown = NetworkImport.objects.get(state_id=ANDHRA_PRADESH, id=started.id)
    assert (shown.sheet, shown.rows_done) == (0, 3)


def test_somebody_faster_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    worked(started)
    begin(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    register = bulk.register_facilities
    calls = 0

    def late(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise IntegrityError("facility_code")
        return register(*args, **kwargs)

    monkeypatch.setattr(services, "register_facilities", late)
    ended = worked(started)
    assert (ended.status, ended.counts["facilities"]["new"]) == (ImportStatus.DONE, 3)


def test_two_at_once_do_not_both_work(tmp_path: Path) -> None:
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    mine = claim(ANDHRA_PRADESH, started.id)
    assert mine is not None
    stale = NetworkImport.objects.get(state_id=ANDHRA_PRADESH, id=started.id)
    proceed(mine)
    with pytest.raises(Stale):
        proceed(stale)


def test_undo_takes_back_everything(tmp_path: Path) -> None:
    before = counted()
    files, _written = network(tmp_path)
    ended = brought_in(files)
    services.ask_undo(SYSTEM, state_id=0, import_id=ended.id)
    undone = worked(ended)
    assert (undone.status, counted()) == (ImportStatus.UNDONE, before)
    assert ImportedRecord.objects.filter(state_id=0, import_id=ended.id).exists()


def test_undo_ends_where_somebody_signs_in() -> None:
    ended = brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    sunita = Account.objects.get(login="sunita")
    set_password(SYSTEM, account_id=sunita.id, password="three words together")
    before = counted()
    services.ask_undo(SYSTEM, state_id=ANDHRA_PRADESH, import_id=ended.id)
    kept = worked(ended)
    assert (kept.status, counted()) == (ImportStatus.DONE, before)
    assert refusal_of(kept) == "signed_in"


@pytest.mark.parametrize("use", ["post", "link", "verified"])
def test_undo_ends_where_others_work_with_it(use: str) -> None:
    ended = brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    hub = Facility.objects.get(state_id=ANDHRA_PRADESH, code="HUB1")
    if use == "post":
        PostFactory(facility=hub)
    elif use == "link":
        brought_in(given("spoke_code,hub_code\nHWC1,HUB1\n"), ANDHRA_PRADESH)
    else:
        doctor = Practitioner.objects.get(state_id=ANDHRA_PRADESH, account_id__isnull=False)
        verify_practitioner(SYSTEM, state_id=ANDHRA_PRADESH, practitioner_id=doctor.id)
    before = counted()
    services.ask_undo(SYSTEM, state_id=ANDHRA_PRADESH, import_id=ended.id)
    kept = worked(ended)
    assert (kept.status, refusal_of(kept), counted()) == (ImportStatus.DONE, "in_use", before)


def undo_of(ended: NetworkImport) -> NetworkImport:
    """Undo an import, or find out why not."""
    services.ask_undo(SYSTEM, state_id=ended.state_id, import_id=ended.id)
    return worked(ended)


def test_undo_ends_where_an_account_has_a_post_elsewhere() -> None:
    """Nobody is left in a post that no account stands behind."""
    ended = brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    elsewhere = FacilityFactory.create()
    appoint_known(
        SYSTEM,
        state_id=ANDHRA_PRADESH,
        facility_id=elsewhere.id,
        role=Role.PHARMACIST,
        login="sunita",
    )
    before = counted()
    kept = undo_of(ended)
    assert (kept.status, refusal_of(kept), counted()) == (ImportStatus.DONE, "in_use", before)


def test_undo_ends_where_a_later_import_made_somebody_a_doctor() -> None:
    first = brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    as_doctor = (
        f"{STAFF.splitlines()[0]}\nsunita,Sunita Devi,9876543210,doctor,DH9,female,MBBS,"
        "AP Medical Council,APMC/7,general_medicine,hi,sunita@demo.invalid\n"
    )
    FacilityFactory.create(code="DH9")
    later = brought_in(given(as_doctor), ANDHRA_PRADESH)
    assert codes(later) == []
    before = counted()
    kept = undo_of(first)
    assert (kept.status, refusal_of(kept), counted()) == (ImportStatus.DONE, "in_use", before)


@pytest.mark.parametrize("has_worked", [True, False])
def test_undo_ends_where_somebody_known_before_has_worked(has_worked: bool) -> None:
    """A post for who signs in already is theirs at once: patients are registered in it."""
    brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    sunita = Account.objects.get(login="sunita")
    set_password(SYSTEM, account_id=sunita.id, password="three words together")
    ended = brought_in(
        given(
            FACILITIES.replace("HWC1", "HWC2").replace("Centre One", "Centre Two"),
            staff_of("28,sunita,Sunita Devi,9876543210,health_worker,HWC2"),
        ),
        ANDHRA_PRADESH,
    )
    centre = Facility.objects.get(state_id=ANDHRA_PRADESH, code="HWC2")
    if has_worked:
        post = Post.objects.get(state_id=ANDHRA_PRADESH, facility_id=centre.id)
        worker = Actor(
            ActorKind.STAFF,
            account_id=sunita.id,
            post_id=post.id,
            state_id=ANDHRA_PRADESH,
            spoke_id=centre.id,
        )
        take_in(worker, patient_id=PatientFactory.create().id)
    before = counted()
    ended = undo_of(ended)
    if has_worked:
        assert (ended.status, refusal_of(ended)) == (ImportStatus.DONE, "in_use")
        assert counted() == before
    else:
        assert ended.status == ImportStatus.UNDONE


def test_an_import_whose_end_was_not_stored_still_has_its_files(
    django_capture_on_commit_callbacks: Any,
) -> None:
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES, STAFF))
    worked(started)
    begin(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    with contextlib.suppress(KeyboardInterrupt), transaction.atomic():
        worked(started)
        raise KeyboardInterrupt
    with django_capture_on_commit_callbacks(execute=True):
        ended = worked(started)
    assert ended.status == ImportStatus.DONE
    assert not any(default_storage.exists(sheet["path"]) for sheet in ended.sheets)


def test_files_whose_deletion_was_cut_off_are_deleted_by_and_by() -> None:
    ended = brought_in(given(FACILITIES), ANDHRA_PRADESH)
    path = ended.sheets[0]["path"]
    assert default_storage.exists(path)
    later = clock.now() + services.KEPT_UNUSED + datetime.timedelta(hours=1)
    with clock.driven_by(lambda: later):
        services.forget_unused()
    assert not default_storage.exists(path)


def test_nobody_acts_in_a_post_that_was_taken_back(client: Client) -> None:
    """Processes keep what seldom changes: they are told that it has."""
    brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    sunita = Account.objects.get(login="sunita")
    set_password(SYSTEM, account_id=sunita.id, password="three words together")
    ended = brought_in(
        given(
            FACILITIES.replace("HWC1", "HWC2").replace("Centre One", "Centre Two"),
            staff_of("28,sunita,Sunita Devi,9876543210,health_worker,HWC2"),
        ),
        ANDHRA_PRADESH,
    )
    centre = Facility.objects.get(state_id=ANDHRA_PRADESH, code="HWC2")
    post = Post.objects.get(state_id=ANDHRA_PRADESH, facility_id=centre.id)
    enter(client, Actor(ActorKind.STAFF, sunita.id, post.id, ANDHRA_PRADESH))
    assert client.get("/spoke").status_code == 200
    undo_of(ended)
    assert client.get("/spoke").status_code == 303


def test_invitations_go_out_later_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "INVITED_AT_ONCE", 2)
    staff = "user_name,name,mobile,role,facility_code\n" + "".join(
        f"worker{number},Sunita Devi,987654320{number},health_worker,HWC1\n" for number in range(5)
    )
    ended = brought_in(given(FACILITIES, STAFF, staff), ANDHRA_PRADESH)
    services.ask_invitations(SYSTEM, state_id=ANDHRA_PRADESH, import_id=ended.id)
    with pytest.raises(Stale):
        services.ask_invitations(SYSTEM, state_id=ANDHRA_PRADESH, import_id=ended.id)
    told = worked(ended)
    # The doctor's link follows with the verification.
    assert (told.invited, OutgoingMessage.objects.count()) == (6, 6)
    assert waiting() == []


def test_a_post_that_ended_is_not_given_again() -> None:
    brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    post = posts_of(Account.objects.get(login="sunita").id)[0]
    end_post(SYSTEM, state_id=ANDHRA_PRADESH, post_id=post.id)
    before = counted()
    again = brought_in(given(STAFF), ANDHRA_PRADESH)
    assert (counted(), codes(again)) == (before, [(2, "post_ended")])


LINES = {
    "a circle": (LINKS + "MC1,HUB1,,1\n", "not_a_spoke"),
    "itself": (LINKS + "HUB1,HUB1,,1\n", "links_to_itself"),
    "no such hub": (LINKS + "HWC1,NOWHERE,,1\n", "unknown_facility"),
    "closed": (LINKS + "HWC1,CLOSED,,1\n", "closed_facility"),
    "no hub": (LINKS + "HUB1,HWC1,,1\n", "not_a_hub"),
    "twice": (LINKS + "HWC1,HUB1,,1\n", "repeats_line"),
}


@pytest.mark.parametrize("case", LINES)
def test_links_that_cannot_be(case: str) -> None:
    FacilityFactory(code="CLOSED", is_hub=True, closed_at=clock.now())
    text, code = LINES[case]
    ended = brought_in(given(FACILITIES, text), ANDHRA_PRADESH)
    assert codes(ended) == [(5, code)]
    assert ended.counts["hub_links"] == {"rows": 4, "new": 3, "there": 0, "broken": 1}


def test_a_circle_is_found_by_the_check_and_by_the_import() -> None:
    facilities = "code,name,kind,district,address,hub,spoke\n" + "".join(
        f"H{number},Hospital {number},DH,Guntur,Road,yes,yes\n" for number in range(3)
    )
    links = "spoke_code,hub_code\nH0,H1\nH1,H2\nH2,H0\n"
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(facilities, links))
    assert codes(worked(started)) == [(4, "leads_back")]
    begin(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    assert codes(worked(started)) == [(4, "leads_back")]
    assert HubLink.objects.filter(state_id=ANDHRA_PRADESH).count() == 2


def test_a_spoke_without_a_hub_is_named() -> None:
    lonely = FACILITIES + "HWC2,Centre Two,HWC,Guntur,Village Two,no,yes,\n"
    ended = brought_in(given(lonely, LINKS), ANDHRA_PRADESH)
    assert codes(ended) == [(5, "no_hub_yet")]
    assert ended.counts["facilities"]["broken"] == 0


def staff_of(*rows: str) -> str:
    """A table of health workers."""
    return "state,user_name,name,mobile,role,facility_code\n" + "\n".join(rows) + "\n"


def test_somebody_in_two_states() -> None:
    FacilityFactory(state_id=TAMIL_NADU, code="TN1")
    brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    same = staff_of("Tamil Nadu,sunita,Sunita Devi,9876543210,health_worker,TN1")
    StateFactory(lgd_code=TAMIL_NADU)
    by_state = brought_in(given(same.replace("Tamil Nadu", "33")), TAMIL_NADU)
    assert codes(by_state) == [(2, "login_elsewhere")]
    by_nation = brought_in(given(same.replace("Tamil Nadu", "33")))
    assert codes(by_nation) == []
    posts = posts_of(Account.objects.get(login="sunita").id)
    assert [post.state_id for post in posts] == [ANDHRA_PRADESH, TAMIL_NADU]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("28,sunita,Sunita Devi,9876543299,health_worker,HUB1", "login_taken"),
        ("28,sunita,Someone Else,9876543210,health_worker,HUB1", "login_taken"),
        ("28,new,New Person,9876543299,state_admin,HUB1", "role_not_yours"),
        ("33,new,New Person,9876543299,health_worker,HUB1", "other_state"),
        ("28,new,New Person,9876543299,health_worker,NONE", "unknown_facility"),
        ("28,new,New Person,12345,health_worker,HUB1", "bad_mobile"),
        ("28,new,New Person,9876543299,doctor,HUB1", "empty"),
    ],
)
def test_staff_that_cannot_be(row: str, code: str) -> None:
    brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    before = counted()
    ended = brought_in(given(staff_of(row)), ANDHRA_PRADESH)
    assert {found for _line, found in codes(ended)} == {code}
    assert {line for line, _found in codes(ended)} == {2}
    assert counted() == before


def test_a_registration_is_one_persons() -> None:
    brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH)
    FacilityFactory(state_id=TAMIL_NADU, code="HUB1")
    other = STAFF.replace("dr.asha", "dr.other").replace("sunita", "sunita2")
    assert codes(brought_in(given(other), ANDHRA_PRADESH)) == [(3, "registered_already")]
    elsewhere = brought_in(
        given(other.replace("HWC1", "HUB1").replace("sunita2", "sunita3")), TAMIL_NADU
    )
    assert codes(elsewhere) == [(3, "registered_elsewhere")]


def administrator(role: Role, state_id: int = ANDHRA_PRADESH) -> Actor:
    """Somebody acting in a post."""
    post = PostFactory(
        role=role,
        facility=FacilityFactory(state_id=state_id),
        practitioner=PractitionerFactory(state_id=state_id),
    )
    return Actor(
        ActorKind.STAFF, account_id=post.account_id, post_id=post.id, state_id=post.state_id
    )


@pytest.mark.parametrize("role", [Role.FACILITY_ADMIN, Role.OBSERVER, Role.DOCTOR])
def test_only_administrators_of_states_bring_in(role: Role) -> None:
    with pytest.raises(NotPermitted):
        start_import(administrator(role), state_id=ANDHRA_PRADESH, files=given(FACILITIES))


def test_a_state_administrator_brings_in_their_own_state_only() -> None:
    actor = administrator(Role.STATE_ADMIN)
    for state_id in (0, TAMIL_NADU):
        with pytest.raises(NotPermitted):
            start_import(actor, state_id=state_id, files=given(FACILITIES))
    assert brought_in(given(FACILITIES), ANDHRA_PRADESH, actor).status == ImportStatus.DONE


def test_the_background_has_no_more_rights_than_who_started() -> None:
    actor = administrator(Role.STATE_ADMIN)
    started = start_import(actor, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    worked(started)
    begin(actor, state_id=ANDHRA_PRADESH, import_id=started.id)
    assert actor.post_id is not None
    end_post(SYSTEM, state_id=ANDHRA_PRADESH, post_id=actor.post_id)
    stopped = worked(started)
    assert (stopped.status, refusal_of(stopped)) == (ImportStatus.STOPPED, "permission_lost")
    assert not Facility.objects.filter(state_id=ANDHRA_PRADESH, code="HWC1").exists()


def test_every_batch_leaves_one_audit_row_and_every_record_its_line() -> None:
    ended = brought_in(given(FACILITIES), ANDHRA_PRADESH)
    rows = AuditEvent.objects.filter(state_id=ANDHRA_PRADESH, record_id=ended.id)
    assert list(rows.order_by("id").values_list("verb", flat=True)) == [
        "onboarding.start_import",
        "onboarding.take_batch",
        "onboarding.finish",
        "onboarding.begin",
        "onboarding.take_batch",
        "onboarding.finish",
    ]
    centre = Facility.objects.get(state_id=ANDHRA_PRADESH, code="HWC1")
    record = ImportedRecord.objects.get(state_id=ANDHRA_PRADESH, record_id=centre.id)
    assert (record.line, record.record_type) == (4, "facility")


class Unforeseen(Exception):
    """What nobody thought of; its text names somebody."""


def raise_unforeseen(*_args: Any, **_kwargs: Any) -> None:
    """Fail as nobody foresaw."""
    raise Unforeseen(STAFF)


def tried_until_it_rests(started: NetworkImport) -> int:
    """Let the background try as long as it wants to; return how often it did."""
    tries = 0
    while waiting() and tries < 20:
        tries += 1
        with contextlib.suppress(Unforeseen):
            worked(started)
        NetworkImport.objects.filter(
            state_id=started.state_id, id=started.id, leased_until__isnull=False
        ).update(leased_until=clock.now())
    return tries


def test_what_nobody_foresaw_ends_and_says_so_and_can_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES, STAFF))
    worked(started)
    begin(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    with monkeypatch.context() as patched:
        patched.setattr(services, "enrol_staff", raise_unforeseen)
        # The facilities come in with the first one.
        assert tried_until_it_rests(started) == 1 + proceeding.ATTEMPTS
    errors = [record.exc_info for record in caplog.records if record.exc_info]
    told = "".join(Formatter().formatException(error) for error in errors)
    assert "Unforeseen" in told
    assert "9876543210" not in told
    stopped = NetworkImport.objects.get(state_id=ANDHRA_PRADESH, id=started.id)
    assert (stopped.status, refusal_of(stopped)) == (ImportStatus.STOPPED, "broke_off")
    assert (stopped.counts["facilities"]["new"], counted()["Account"]) == (3, 0)
    services.resume(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    ended = worked(started)
    assert (ended.status, ended.refusal) == (ImportStatus.DONE, None)
    assert (ended.counts["facilities"]["new"], counted()["Account"]) == (3, 2)


def test_an_import_that_kills_its_process_ends_as_well() -> None:
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    for _attempt in range(proceeding.ATTEMPTS):
        assert claim(ANDHRA_PRADESH, started.id) is not None
        NetworkImport.objects.filter(state_id=ANDHRA_PRADESH, id=started.id).update(
            leased_until=clock.now()
        )
    stopped = worked(started)
    assert (stopped.status, refusal_of(stopped)) == (ImportStatus.STOPPED, "broke_off")
    services.resume(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    assert worked(started).status == ImportStatus.CHECKED, "a check brings nothing in"


def test_batches_that_come_through_are_no_failed_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever restarts the service often must not stop an import that gets on."""
    monkeypatch.setattr(proceeding, "BATCH", 100)
    files, _written = network(tmp_path)
    started = start_import(SYSTEM, state_id=0, files=files)
    for _attempt in range(proceeding.ATTEMPTS + 1):
        killed_in(started, 1)
        NetworkImport.objects.filter(state_id=0, id=started.id).update(leased_until=clock.now())
    assert worked(started).status == ImportStatus.CHECKED


def test_a_stopped_import_whose_files_are_gone_does_not_go_on() -> None:
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    NetworkImport.objects.filter(state_id=ANDHRA_PRADESH, id=started.id).update(
        attempts=proceeding.ATTEMPTS
    )
    stopped = worked(started)
    services.forget_files(stopped)
    with pytest.raises(FilesGone):
        services.resume(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)


def test_an_undo_that_fails_leaves_the_import_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was brought in by half must not read as brought in."""
    started = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES, STAFF))
    worked(started)
    begin(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    with monkeypatch.context() as patched:
        patched.setattr(services, "enrol_staff", raise_unforeseen)
        tried_until_it_rests(started)
    PostFactory(facility=Facility.objects.get(state_id=ANDHRA_PRADESH, code="HUB1"))
    kept = undo_of(started)
    assert (kept.status, refusal_of(kept)) == (ImportStatus.STOPPED, "in_use")
    services.resume(SYSTEM, state_id=ANDHRA_PRADESH, import_id=started.id)
    assert worked(started).status == ImportStatus.DONE


def test_another_administrator_takes_over_from_one_who_has_left() -> None:
    first = administrator(Role.STATE_ADMIN)
    second = administrator(Role.STATE_ADMIN)
    national = administrator(Role.NATIONAL_ADMIN, 0)
    started = start_import(first, state_id=ANDHRA_PRADESH, files=given(FACILITIES, STAFF))
    worked(started)
    assert first.post_id is not None
    begin(first, state_id=ANDHRA_PRADESH, import_id=started.id)
    end_post(SYSTEM, state_id=ANDHRA_PRADESH, post_id=first.post_id)
    assert worked(started).status == ImportStatus.STOPPED
    key: dict[str, Any] = {"state_id": ANDHRA_PRADESH, "import_id": started.id}
    services.resume(second, **key)
    assert worked(started).status == ImportStatus.DONE
    assert second.post_id is not None
    end_post(SYSTEM, state_id=ANDHRA_PRADESH, post_id=second.post_id)
    services.ask_invitations(national, **key)
    assert worked(started).invited == 1
    services.ask_undo(national, **key)
    undone = worked(started)
    assert (undone.status, undone.refusal) == (ImportStatus.UNDONE, None)


def test_invitations_of_one_who_has_left_can_be_asked_for_again() -> None:
    actor = administrator(Role.STATE_ADMIN)
    ended = brought_in(given(FACILITIES, STAFF), ANDHRA_PRADESH, actor)
    services.ask_invitations(actor, state_id=ANDHRA_PRADESH, import_id=ended.id)
    assert actor.post_id is not None
    end_post(SYSTEM, state_id=ANDHRA_PRADESH, post_id=actor.post_id)
    told = worked(ended)
    assert (told.status, refusal_of(told)) == (ImportStatus.DONE, "permission_lost")
    assert waiting() == []
    services.ask_invitations(SYSTEM, state_id=ANDHRA_PRADESH, import_id=ended.id)
    told = worked(ended)
    assert (told.invited, told.refusal) == (1, None)


def test_files_of_an_import_that_was_begun_meanwhile_are_kept(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    first = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    worked(first)
    second = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    worked(second)
    drop = services.drop

    def begun_before(actor: Actor, **key: Any) -> NetworkImport:
        if key["import_id"] == first.id:
            begin(SYSTEM, **key)
        return drop(actor, **key)

    monkeypatch.setattr(services, "drop", begun_before)
    later = clock.now() + services.KEPT_UNUSED + datetime.timedelta(hours=1)
    with clock.driven_by(lambda: later), django_capture_on_commit_callbacks(execute=True):
        services.forget_unused()
    assert default_storage.exists(first.sheets[0]["path"])
    assert not default_storage.exists(second.sheets[0]["path"])


class Processes:
    """Stands in for processes: works at once, but for imports that are to hang."""

    def __init__(self, hangs: NetworkImport, times: int) -> None:
        self.now = clock.now()
        self.hangs, self.times = hangs, times
        self.begun: list[tuple[uuid.UUID, datetime.datetime]] = []
        self.asleep: list[subprocess.Popen[bytes]] = []
        self.late: NetworkImport | None = None

    def begin(self, key: tuple[int, uuid.UUID]) -> subprocess.Popen[bytes]:
        """Work on an import, or hang."""
        self.begun.append((key[1], self.now))
        claimed = claim(*key)
        assert claimed is not None
        if key[1] == self.hangs.id and len(self.asleep) < self.times:
            self.asleep.append(subprocess.Popen(["sleep", "600"]))
            return self.asleep[-1]
        proceed(claimed)
        return subprocess.Popen(["true"])

    def sleep(self, _seconds: float) -> None:
        """Let a minute pass instead; somebody hands in another file meanwhile."""
        self.now += datetime.timedelta(minutes=1)
        if self.late is None:
            self.late = start_import(SYSTEM, state_id=TAMIL_NADU, files=given(FACILITIES))


@pytest.mark.parametrize("times", [1, proceeding.ATTEMPTS])
def test_one_that_hangs_does_not_hold_up_the_others(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = start_import(SYSTEM, state_id=ANDHRA_PRADESH, files=given(FACILITIES))
    other = start_import(SYSTEM, state_id=0, files=given(STAFF))
    processes = Processes(hung, times)
    monkeypatch.setattr(tasks, "_worker_on", processes.begin)
    monkeypatch.setattr(time, "sleep", processes.sleep)
    with clock.driven_by(lambda: processes.now):
        start = processes.now
        go_on.func()
    assert processes.late is not None
    minutes = {
        import_id: (at - start).total_seconds() / 60 for import_id, at in processes.begun[:3]
    }
    assert minutes[other.id] == 0
    assert minutes[processes.late.id] <= 1
    assert [process.poll() for process in processes.asleep] == [-signal.SIGKILL] * times
    for each in (other, processes.late):
        each.refresh_from_db()
        assert each.status == ImportStatus.CHECKED
    hung.refresh_from_db()
    assert hung.status == (ImportStatus.CHECKED if times == 1 else ImportStatus.STOPPED)
