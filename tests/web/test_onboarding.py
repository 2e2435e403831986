"""The administrators' screen for imports: check, bring in, take back, without scripts."""

import datetime
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sanjeevani.directory.models import Facility, Role
from sanjeevani.identity.models import Account, Session
from sanjeevani.onboarding.models import ImportStatus, NetworkImport
from sanjeevani.onboarding.proceeding import ATTEMPTS, claim, proceed
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    FacilityFactory,
    PostFactory,
    PractitionerFactory,
    StateFactory,
    sign_in,
)

pytestmark = pytest.mark.django_db

TABLE = (
    "code,name,kind,district,address,spoke\n"
    "HWC1,Centre One,sub_centre,Guntur,Village One,yes\n"
    "HWC2,Centre Two,temple,Guntur,Village Two,yes\n"
)


@pytest.fixture(autouse=True)
def states() -> None:
    """Two open states and National."""
    now = datetime.datetime.now(datetime.UTC)
    for code in (0, ANDHRA_PRADESH, TAMIL_NADU):
        StateFactory(lgd_code=code, opened_at=now)


def administrator(role: Role = Role.STATE_ADMIN, state_id: int = ANDHRA_PRADESH) -> Client:
    """A browser of an administrator."""
    client = Client()
    post = PostFactory(
        role=role,
        facility=FacilityFactory(state_id=state_id),
        practitioner=PractitionerFactory(state_id=state_id),
    )
    account = Account.objects.get(id=post.account_id)
    sign_in(client, account)
    Session.objects.filter(account_id=account.id).update(
        post_state_id=post.state_id, post_id=post.id
    )
    return client


def upload(client: Client, *files: tuple[str, bytes], **more: Any) -> Any:
    """Hand files over."""
    return client.post(
        reverse("onboarding:list"),
        {"files": [SimpleUploadedFile(name, content) for name, content in files]},
        **more,
    )


def worked(state_id: int = ANDHRA_PRADESH) -> NetworkImport:
    """Let the background work on the newest import."""
    newest = NetworkImport.objects.filter(state_id=state_id).latest("started_at")
    claimed = claim(state_id, newest.id)
    assert claimed is not None
    return proceed(claimed)


def test_look_first_then_bring_in_then_take_back() -> None:
    client = administrator()
    there = upload(client, ("centres.csv", TABLE.encode()))
    assert there.status_code == 303
    page = there["Location"]
    assert "Look again" in client.get(page).content.decode()
    worked()
    checked = client.get(page).content.decode()
    assert "Nothing is stored yet" in checked
    assert "We do not know the kind “temple”" in checked
    assert "Bring in 1 row" in checked
    assert not Facility.objects.filter(state_id=ANDHRA_PRADESH, code="HWC1").exists()
    client.post(page, {"act": "begin"})
    worked()
    assert Facility.objects.filter(state_id=ANDHRA_PRADESH, code="HWC1").exists()
    assert "Undo all of it" in client.get(page).content.decode()
    client.post(page, {"act": "undo"})
    assert worked().status == ImportStatus.UNDONE
    assert not Facility.objects.filter(state_id=ANDHRA_PRADESH, code="HWC1").exists()


def test_what_is_wrong_comes_as_a_table_in_the_readers_language() -> None:
    client = administrator()
    page = upload(client, ("=cmd.csv", TABLE.encode()))["Location"]
    worked()
    client.cookies["language"] = "hi"
    answer: Any = client.get(f"{page}/findings.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert re.search(r"'=cmd.csv,3,kind,", text), "a spreadsheet must not run it"
    assert "temple" in text
    assert "We do not know" not in text


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", b"one,two\n1,2\n", "We do not know these columns"),
        ("a.csv", b"", "This file is empty."),
        ("a.csv", TABLE.replace("One", "Peña").encode("cp1252"), "Line 2 has letters"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "old Excel file"),
        ("a.pdf", b"%PDF-1.7 nothing", "neither a CSV nor an Excel file"),
        ("a.csv", TABLE.replace("district", "town").encode(), "These columns are missing"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_once(
    name: str, content: bytes, says: str
) -> None:
    answer = upload(administrator(), (name, content))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not NetworkImport.objects.filter(state_id=ANDHRA_PRADESH).exists()


def test_a_file_that_breaks_further_down_says_so_on_its_page() -> None:
    client = administrator()
    page = upload(client, ("centres.csv", f'{TABLE}HWC3,"Centre'.encode()))["Location"]
    assert worked().status == ImportStatus.REFUSED
    assert "breaks off or is damaged at line 4" in client.get(page).content.decode()


def test_no_file_is_said_beside_the_field() -> None:
    answer = administrator().post(reverse("onboarding:list"), {})
    assert answer.status_code == 422
    assert "Choose at least one file." in answer.content.decode()


def test_another_states_import_opens_to_nobody_else() -> None:
    page = upload(administrator(), ("centres.csv", TABLE.encode()))["Location"]
    worked()
    stranger = administrator(state_id=TAMIL_NADU)
    for address in (page, f"{page}/findings.csv"):
        assert stranger.get(address).status_code == 403
    assert stranger.post(page, {"act": "begin"}).status_code == 403
    shown = NetworkImport.objects.get(state_id=ANDHRA_PRADESH)
    assert shown.status == ImportStatus.CHECKED


def test_an_empty_table_names_the_columns() -> None:
    answer = administrator().get(reverse("onboarding:empty", args=["staff"]))
    assert answer.content.decode("utf-8-sig").startswith("state,user_name,name,mobile,role")


def test_what_fails_on_our_side_says_so_and_goes_on_at_a_press() -> None:
    client = administrator()
    page = upload(client, ("centres.csv", TABLE.encode()))["Location"]
    NetworkImport.objects.filter(state_id=ANDHRA_PRADESH).update(attempts=ATTEMPTS)
    assert worked().status == ImportStatus.STOPPED
    told = client.get(page).content.decode()
    assert "Something went wrong on our side" in told
    assert "Let it go on" in told
    assert client.post(page, {"act": "resume"}).status_code == 303
    assert worked().status == ImportStatus.CHECKED
    assert "Something went wrong" not in client.get(page).content.decode()
