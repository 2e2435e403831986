"""What two callers hear of each other when one of them sits on a bad link.

    python tests/load/calls.py

Prints the rows of the table in docs/performance.md. The patient's access is emulated in both
directions (link.py); the doctor sits on a good line; all media go through the TURN server.
"""

import contextlib
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.browsers import CAMERA, chromium
from tests.gateway.callers import Caller, Turn, speech
from tests.gateway.conftest import Bus, Gateway
from tests.gateway.site import Site
from tests.load.link import Link, Quality

SETTLING_SECONDS = 20


@dataclass(frozen=True)
class Heard:
    """What one side received, as shares of all."""

    lost: float
    concealed: float
    frames_per_second: float
    rungs: str
    """The rungs of its own sending, in order."""


@contextlib.contextmanager
def call_over(quality: Quality) -> Iterator[tuple[Link, Caller, Caller]]:
    """Hold a call: yield the patient's link, the doctor and the patient."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bus = Bus()
        bus.start()
        stack.callback(bus.stop)
        site = stack.enter_context(Site())
        gateway = Gateway(bus.url, SANJEEVANI_PUBLIC_URL=site.url).start()
        stack.callback(gateway.stop)
        turn = stack.enter_context(Turn().running(folder))
        link = stack.enter_context(Link(quality, turn_port=turn.port, gateway_port=gateway.port))
        browser = stack.enter_context(
            chromium(
                *CAMERA,
                "--allow-loopback-in-peer-connection",
                f"--use-file-for-fake-audio-capture={speech(folder)}",
            )
        )
        room = str(uuid.uuid4())
        near, far = turn.ice(), turn.ice()
        far["iceServers"][0]["urls"] = [f"turn:127.0.0.1:{link.udp_port}?transport=udp"]
        doctor = Caller(browser, site, gateway.url, room, "a", ice=near)
        stack.callback(doctor.close)
        patient = Caller(browser, site, f"http://127.0.0.1:{link.tcp_port}", room, "b", ice=far)
        stack.callback(patient.close)
        doctor.shows("connected", 30)
        patient.shows("connected", 30)
        yield link, doctor, patient


def _between(before: dict[str, Any], after: dict[str, Any], seconds: float, who: Caller) -> Heard:
    now = {name: after[name] - before[name] for name in ("audio", "lost", "frames")}
    sound = {name: after[name] - before[name] for name in ("samples", "concealed", "silent")}
    return Heard(
        lost=round(now["lost"] / max(1, now["lost"] + now["audio"]), 4),
        concealed=round((sound["concealed"] - sound["silent"]) / max(1, sound["samples"]), 4),
        frames_per_second=round(now["frames"] / seconds, 1),
        rungs=" ".join(step["rung"] for step in who.events("rung")),
    )


def listen(quality: Quality, *, settling: float, seconds: float) -> tuple[Heard, Heard]:
    """Return what the doctor and the patient received during `seconds` of a call."""
    with call_over(quality) as (_link, doctor, patient):
        doctor.page.wait_for_timeout(1_000 * settling)
        callers = (doctor, patient)
        before = [caller.heard() for caller in callers]
        doctor.page.wait_for_timeout(1_000 * seconds)
        after = [caller.heard() for caller in callers]
        first, second = (
            _between(one, other, seconds, caller)
            for one, other, caller in zip(before, after, callers, strict=True)
        )
    return first, second


def seconds_until_back(quality: Quality, cut: float) -> float:
    """Cut the patient's link; return how long after its end both hear each other again."""
    with call_over(quality) as (link, doctor, patient):
        doctor.page.wait_for_timeout(1_000 * SETTLING_SECONDS)
        link.cut = True
        doctor.page.wait_for_timeout(1_000 * cut)
        link.cut = False
        started = time.monotonic()
        doctor.hears_speech(60)
        patient.hears_speech(60)
        return round(time.monotonic() - started, 1)


NARROW = Quality(64_000, 0.150, 0.05)
NARROWER = Quality(32_000, 0.300, 0.05)
MIDDLE = Quality(256_000, 0.050, 0.02)


def main() -> None:
    """Print the rows."""
    for name, quality, settling in (
        ("64 kbit/s, 150 ms, 5 %", NARROW, SETTLING_SECONDS),
        ("32 kbit/s, 300 ms, 5 %", NARROWER, SETTLING_SECONDS),
        ("256 kbit/s, 50 ms, 2 %", MIDDLE, 45),
    ):
        doctor, patient = listen(quality, settling=settling, seconds=60)
        _say(name, "upwards", asdict(doctor))
        _say(name, "downwards", asdict(patient))
    _say("back after a cut of 25 s:", seconds_until_back(NARROW, 25), "s")


def _say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
