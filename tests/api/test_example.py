"""The example clients do what they say, while the test plays the doctor."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity.models import Account
from sanjeevani.identity.services import set_password
from sanjeevani.messaging.models import OutgoingMessage
from tests.api.at_spoke import Spoke
from tests.api.caller import Caller, doctor_caller
from tests.api.serving import served
from tests.factories import ClinicFactory, StateFactory
from tests.identity.helpers import sent_code

EXAMPLES = Path(__file__).parents[2] / "examples"
MOBILE = "+919876500001"

Client = subprocess.Popen[str]


@pytest.mark.parametrize("name", ["client.py", "spoke.py"])
def test_client_is_short(name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) < 100


@pytest.mark.usefixtures("committed_reference_once")
def test_from_sign_in_to_prescription() -> None:
    StateFactory()
    doctor, _practitioner = doctor_caller(ClinicFactory())
    with running("client.py", MOBILE) as client:
        tell_code(client)
        seen_by(doctor)
        said = end_of(client)
    assert "your number is 1" in said
    assert "Rest." in said
    assert "aracetamol" in said


@pytest.mark.usefixtures("committed_reference_once")
def test_who_is_sent_on_and_cut_off_goes_on() -> None:
    """Whoever wrote an app after the example lost the patient whom a doctor had sent on."""
    StateFactory()
    first, _practitioner = doctor_caller(ClinicFactory())
    with running("client.py", MOBILE) as client:
        tell_code(client)
        until(lambda: any(line["waiting"] for line in first.get("/staff/desk")["lines"]))
        clinic = ClinicFactory()
        second, _practitioner = doctor_caller(clinic)
        made = first.make("/staff/next")
        path = f"/staff/consultations/{made['state_id']}/{made['id']}"
        until(lambda: first.get(path)["status"] == "in_progress")
        first.post(f"{path}/interrupt")
        until(lambda: first.get(path)["status"] == "in_progress")
        there = {"clinic_state_id": clinic.state_id, "clinic_id": str(clinic.id)}
        first.make(f"{path}/redirect", there | {"reason": "Better seen there"})
        seen_by(second)
        said = end_of(client)
    assert "Rest." in said


@pytest.mark.usefixtures("committed_reference_once")
def test_at_a_spoke() -> None:
    spoke = Spoke(proof="code")
    assert spoke.staff.account_id
    worker = Account.objects.get(id=spoke.staff.account_id)
    set_password(SYSTEM, account_id=worker.id, password="three quiet words")
    with running("spoke.py", worker.login, "three quiet words", MOBILE) as client:
        tell_code(client)
        seen_by(spoke.doctor)
        said = end_of(client)
    assert "number 1" in said
    assert "38.5 °C" in said
    assert "Rest." in said
    assert "aracetamol" in said


@contextlib.contextmanager
def running(name: str, *arguments: str) -> Iterator[Client]:
    """Run an example against this process."""
    with served() as address:
        client = subprocess.Popen(
            [sys.executable, EXAMPLES / name, address, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield client
        finally:
            client.kill()
            client.wait()


def tell_code(client: Client) -> None:
    """Type the code that was sent to the mobile."""
    until(lambda: OutgoingMessage.objects.filter(mobile=MOBILE).exists())
    assert client.stdin
    client.stdin.write(f"{sent_code(MOBILE)}\n")
    client.stdin.flush()


def seen_by(doctor: Caller) -> None:
    """See who waits, prescribe paracetamol, and finish."""
    until(lambda: any(line["waiting"] for line in doctor.get("/staff/desk")["lines"]))
    made = doctor.make("/staff/next")
    path = f"/staff/consultations/{made['state_id']}/{made['id']}"
    until(lambda: doctor.get(path)["status"] == "in_progress")
    doctor.put(f"{path}/note", {"advice": "Rest.", "diagnoses": ["R50.9"]})
    read = doctor.get("/staff/shorthand?q=pcm+650+1-0-1+5d+after+food")
    doctor.post(f"{path}/items", read["item"])
    doctor.make(f"{path}/sign")
    doctor.post(f"{path}/conclude", {"outcome": "prescription"})


def end_of(client: Client) -> str:
    """Return what the client has said by its end, which is a success."""
    said, _errors = client.communicate(timeout=30)
    assert client.returncode == 0, said
    return said


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
