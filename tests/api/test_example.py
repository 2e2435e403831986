"""The example client does what it says, while the test plays the doctor."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sanjeevani.messaging.models import OutgoingMessage
from tests.api.caller import doctor_caller
from tests.api.serving import served
from tests.factories import ClinicFactory, StateFactory
from tests.identity.helpers import sent_code

CLIENT = Path(__file__).parents[2] / "examples" / "client.py"


def test_client_is_short() -> None:
    assert len(CLIENT.read_text().splitlines()) < 100


@pytest.mark.usefixtures("committed_reference_once")
def test_from_sign_in_to_prescription() -> None:
    StateFactory()
    clinic = ClinicFactory()
    doctor, _practitioner = doctor_caller(clinic)
    mobile = "+919876500001"
    with served() as address:
        client = subprocess.Popen(
            [sys.executable, CLIENT, address, mobile],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            until(lambda: OutgoingMessage.objects.filter(mobile=mobile).exists())
            assert client.stdin
            client.stdin.write(f"{sent_code(mobile)}\n")
            client.stdin.flush()
            until(lambda: doctor.get("/staff/desk")["lines"][0]["waiting"] == 1)
            made = doctor.make("/staff/next")
            path = f"/staff/consultations/{made['state_id']}/{made['id']}"
            until(lambda: doctor.get(path)["status"] == "in_progress")
            doctor.put(f"{path}/note", {"advice": "Rest.", "diagnoses": ["R50.9"]})
            read = doctor.get("/staff/shorthand?q=pcm+650+1-0-1+5d+after+food")
            doctor.post(f"{path}/items", read["item"])
            doctor.make(f"{path}/sign")
            doctor.post(f"{path}/conclude", {"outcome": "prescription"})
            said, _errors = client.communicate(timeout=30)
        finally:
            client.kill()
            client.wait()
    assert client.returncode == 0, said
    assert "your number is 1" in said
    assert "Rest." in said
    assert "aracetamol" in said


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
