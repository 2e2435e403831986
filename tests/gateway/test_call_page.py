"""frontend/js/call.js: pairs of real Chromium pages, a real gateway, a real TURN server."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browsers import CAMERA, chromium
from tests.gateway.callers import Caller, Turn, speech
from tests.gateway.conftest import Bus, Gateway, wait_until
from tests.gateway.site import Site

Call = Callable[..., Caller]
SHEETS = Path(__file__).parents[2] / "src/sanjeevani/web/static/css"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium that speaks into its microphone."""
    recording = speech(tmp_path_factory.mktemp("speech"))
    with chromium(
        *CAMERA,
        "--allow-loopback-in-peer-connection",
        f"--use-file-for-fake-audio-capture={recording}",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    """A TURN server."""
    with Turn().running(tmp_path_factory.mktemp("turn")) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(bus: Bus, site: Site) -> Iterator[Gateway]:
    """A gateway for the pages of the site."""
    process = Gateway(bus.url, SANJEEVANI_PUBLIC_URL=site.url).start()
    yield process
    process.stop()


@pytest.fixture
def room() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def call(browser: Browser, site: Site, gateway: Gateway, room: str) -> Iterator[Call]:
    """Take a seat in the test's room."""
    with contextlib.ExitStack() as stack:

        def taken(seat: str, *, at: Gateway | None = None, **given: object) -> Caller:
            url = (at or gateway).url
            caller = Caller(browser, site, url, room, seat, **given)  # type: ignore[arg-type]
            stack.callback(caller.close)
            return caller

        yield taken


def test_a_direct_call_begins_with_sound_and_climbs_to_a_picture(call: Call) -> None:
    doctor = call("a")
    doctor.shows("waiting")
    patient = call("b")
    doctor.shows("connected")
    patient.shows("connected")
    doctor.hears_speech()
    patient.hears_speech()
    for caller in (doctor, patient):
        wait_until(lambda one=caller: one.heard()["frames"] > 10, 25)  # type: ignore[misc]
        rungs = [step["rung"] for step in caller.events("rung")]
        assert rungs[:2] == ["audio", "low"]
        expect(caller.page.locator("video[data-seat]")).to_have_attribute("data-picture", "on")
    assert not doctor.heard()["relayed"]


def test_a_call_through_the_relay_only(call: Call, turn: Turn) -> None:
    doctor, patient = call("a", ice=turn.ice()), call("b", ice=turn.ice())
    doctor.shows("connected")
    patient.shows("connected")
    doctor.hears_speech()
    patient.hears_speech()
    assert doctor.heard()["relayed"]
    assert patient.heard()["relayed"]


@pytest.mark.verify
def test_a_wrong_relay_secret_is_said(call: Call, turn: Turn) -> None:
    wrong = turn.ice(secret="another secret")
    doctor, patient = call("a", ice=wrong), call("b", ice=wrong)
    doctor.shows("relay-refused")
    patient.shows("relay-refused")
    assert {"what": "relay-refused"} in patient.events("problem")
    wait_until(lambda: {"what": "unreachable"} in _problems(patient), 30)


def _problems(caller: Caller) -> list[object]:
    caller.page.wait_for_timeout(200)
    return caller.events("problem")


@pytest.mark.parametrize("seat", ["a", "b"])
def test_a_reload_is_back_within_five_seconds(call: Call, seat: str) -> None:
    doctor, patient = call("a"), call("b")
    doctor.shows("connected")
    patient.shows("connected")
    gone, staying = (doctor, patient) if seat == "a" else (patient, doctor)
    started = time.monotonic()
    gone.page.reload()
    gone.shows("connected", 5)
    staying.shows("connected", 5)
    gone.hears_speech(5)
    staying.hears_speech(5)
    assert time.monotonic() - started < 5


def test_a_killed_gateway_leaves_the_media_and_signalling_resumes(
    bus: Bus, site: Site, call: Call
) -> None:
    own = Gateway(bus.url, SANJEEVANI_PUBLIC_URL=site.url).start()
    try:
        doctor, patient = call("a", at=own), call("b", at=own)
        doctor.shows("connected")
        patient.shows("connected")
        assert own.process is not None
        own.process.kill()
        own.process.wait()
        doctor.page.wait_for_timeout(2_000)
        doctor.hears_speech()
        patient.hears_speech()
        doctor.shows("connected")
        own.start()
        wait_until(lambda: own.figures()["seats"] == 2, 12)
        # The way is open again: a reload needs it.
        patient.page.reload()
        patient.shows("connected", 6)
        doctor.hears_speech()
        assert doctor.page.evaluate("connections.length") == 2
    finally:
        own.stop()


def test_a_service_in_trouble_gives_no_seat(site: Site, call: Call, room: str) -> None:
    """What it says of the trouble is no ticket, and no list of relays either."""
    doctor = call("a")
    doctor.shows("waiting")
    path = f"/call/{room}/a/ticket"
    good = site.pages[path]
    site.pages[path] = lambda: (429, "application/problem+json", "{}")
    sockets: list[str] = []
    doctor.page.on("websocket", lambda socket: sockets.append(socket.url))
    doctor.page.reload()
    wait_until(lambda: 429 in site.asked(path))
    site.pages[path] = good
    doctor.shows("waiting")
    assert len(sockets) == 1
    assert "ticket=undefined" not in sockets[0]


def test_a_third_joins_and_leaves(call: Call) -> None:
    doctor, patient = call("a"), call("b")
    doctor.shows("connected")
    specialist = call("c")
    specialist.shows("connected")
    for caller in (doctor, patient, specialist):
        expect(caller.page.locator("video[data-seat]")).to_have_count(2)
        caller.hears_speech()
    specialist.page.click("[data-call-leave]")
    specialist.shows("ended")
    for caller in (doctor, patient):
        expect(caller.page.locator("video[data-seat]")).to_have_count(1)
        caller.shows("connected")
        caller.hears_speech()


def test_leaving_and_a_second_tab_are_said(call: Call) -> None:
    doctor, patient = call("a"), call("b")
    doctor.shows("connected")
    second = call("b")
    patient.shows("elsewhere")
    second.shows("connected")
    doctor.shows("connected")
    second.page.click("[data-call-leave]")
    second.shows("ended")
    doctor.shows("waiting")


def test_the_server_decides_how_much_may_be_sent(call: Call) -> None:
    doctor, patient = call("a"), call("b")
    doctor.shows("connected")
    wait_until(lambda: _rungs(patient)[-1:] == ["low"], 20)
    patient.allows("audio")
    wait_until(lambda: _rungs(patient)[-1] == "audio", 5)
    assert patient.events("rung")[-1]["reason"] == "asked"
    expect(doctor.page.locator("video[data-seat]")).to_have_attribute("data-picture", "off")
    doctor.hears_speech()
    # Chosen, it is not the line that has to allow a picture.
    expect(patient.page.locator("#notice")).to_have_text("")
    patient.allows("chat")
    patient.shows("ended")
    expect(patient.page.locator("#notice")).to_have_text("")
    doctor.shows("waiting")


SLOW_CAMERA = """
window.cameras = []; window.asked = false;
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (wanted.video && !window.permitted) {
    window.asked = true;
    await new Promise((resolve) => (window.permit = resolve));
    window.permitted = true;
  }
  const stream = await ask(wanted);
  if (wanted.video) window.cameras.push(...stream.getTracks());
  return stream;
};"""
"""A camera for which the person is asked; `permit()` is the yes, once."""

LIVE_CAMERAS = "cameras.filter((track) => track.readyState === 'live').length"


def test_where_only_sound_is_agreed_no_camera_films(call: Call) -> None:
    doctor, patient = call("a"), call("b", script=SLOW_CAMERA + "window.permitted = true;")
    doctor.shows("connected")
    wait_until(lambda: _rungs(patient)[-1:] == ["low"], 20)
    own = patient.page.locator("video[data-call-local]")
    expect(own).to_be_visible()
    patient.allows("audio")
    expect(own).to_be_hidden()
    assert patient.page.evaluate(LIVE_CAMERAS) == 0
    patient.allows("video")
    wait_until(lambda: _rungs(patient)[-1:] == ["low"], 20)
    assert patient.page.evaluate(LIVE_CAMERAS) == 1


def test_who_chooses_sound_while_asked_for_the_camera_is_not_seen(call: Call) -> None:
    doctor, patient = call("a"), call("b", script=SLOW_CAMERA)
    doctor.shows("connected")
    patient.page.wait_for_function("asked", timeout=20_000)
    patient.allows("audio")
    patient.page.evaluate("permit()")
    patient.page.wait_for_timeout(4_000)
    assert doctor.heard()["frames"] == 0
    assert patient.page.evaluate(LIVE_CAMERAS) == 0
    doctor.hears_speech()


def _rungs(caller: Caller) -> list[str]:
    caller.page.wait_for_timeout(200)
    return [step["rung"] for step in caller.events("rung")]


def test_a_closed_room_ends_the_call(bus: Bus, call: Call, room: str) -> None:
    doctor, patient = call("a"), call("b")
    doctor.shows("connected")
    bus.hint(f"room.{room}", {"closed": True})
    doctor.shows("closed")
    patient.shows("closed")
    assert doctor.page.evaluate("connections[0].connectionState") == "closed"


@pytest.mark.verify
def test_mute_and_camera_off(call: Call) -> None:
    doctor, patient = call("a"), call("b")
    doctor.shows("connected")
    wait_until(lambda: patient.heard()["frames"] > 5, 25)
    doctor.page.click("[data-call-mute]")
    doctor.page.click("[data-call-camera]")
    expect(doctor.page.locator("[data-call-mute]")).to_have_attribute("aria-pressed", "true")
    expect(patient.page.locator("video[data-seat]")).to_have_attribute("data-picture", "off")
    patient.page.wait_for_timeout(500)
    before = patient.heard()["energy"]
    patient.page.wait_for_timeout(1_500)
    assert patient.heard()["energy"] - before < 1e-4
    doctor.page.click("[data-call-mute]")
    patient.hears_speech()


def test_muted_and_unseen_stays_so_when_the_call_begins_again(call: Call) -> None:
    doctor, patient = call("a"), call("b")
    doctor.shows("connected")
    for tool in ("mute", "camera"):
        doctor.page.click(f"[data-call-{tool}]")
    doctor.allows("chat")
    doctor.shows("ended")
    doctor.allows("video")
    doctor.shows("connected")
    for tool in ("mute", "camera"):
        button = doctor.page.locator(f"[data-call-{tool}]")
        expect(button).to_have_attribute("aria-pressed", "true")
    before = patient.heard()["energy"]
    # Long enough for the ladder to climb to a picture.
    doctor.page.wait_for_timeout(12_000)
    assert patient.heard()["energy"] - before < 1e-4
    assert patient.heard()["frames"] == 0
    doctor.page.click("[data-call-mute]")
    patient.hears_speech()


@pytest.mark.parametrize(
    ("device", "error", "what"),
    [
        ("video", "NotAllowedError", "camera-refused"),
        pytest.param("video", "NotReadableError", "camera-busy", marks=pytest.mark.verify),
        pytest.param("audio", "NotFoundError", "microphone-missing", marks=pytest.mark.verify),
        ("audio", "NotAllowedError", "microphone-refused"),
    ],
)
def test_without_a_device_the_call_goes_on_and_says_why(
    call: Call, device: str, error: str, what: str
) -> None:
    script = f"""
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) => wanted.{device}
      ? Promise.reject(new DOMException('', '{error}')) : ask(wanted);"""
    doctor, patient = call("a"), call("b", script=script)
    doctor.shows("connected")
    patient.shows("connected")
    patient.hears_speech()
    wait_until(lambda: {"what": what} in _problems(patient), 20)
    if device == "video":
        doctor.hears_speech()
    else:
        wait_until(lambda: doctor.heard()["frames"] > 5, 25)


TAKEN_AWAY = """
window.tracks = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  if (window.none) throw new DOMException('', 'NotFoundError');
  const stream = await ask(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};
window.unplug = (kind) => {
  const track = window.tracks.filter((one) => one.kind === kind).at(-1);
  track.stop();
  track.dispatchEvent(new Event('ended'));
};
"""


def test_another_microphone_takes_over_from_one_that_is_unplugged(call: Call) -> None:
    doctor, patient = call("a"), call("b", script=TAKEN_AWAY)
    doctor.shows("connected")
    doctor.hears_speech()
    patient.page.evaluate("unplug('audio')")
    doctor.hears_speech()
    assert not patient.events("problem")


def test_who_is_not_heard_any_more_knows_it_until_there_is_a_microphone(call: Call) -> None:
    doctor, patient = call("a"), call("b", script=TAKEN_AWAY)
    doctor.shows("connected")
    wait_until(lambda: _rungs(patient)[-1:] == ["low"], 20)
    patient.page.evaluate("window.none = true; unplug('audio'); unplug('video')")
    notice = patient.page.locator("#notice")
    expect(notice).to_have_text("microphone-missing")
    expect(patient.page.locator("video[data-call-local]")).to_be_hidden()
    wait_until(lambda: _rungs(patient)[-1:] == ["audio"], 10)
    expect(notice).to_have_text("microphone-missing")
    patient.page.evaluate(
        "window.none = false; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))"
    )
    doctor.hears_speech()
    expect(notice).not_to_have_text("microphone-missing")
    before = doctor.heard()["frames"]
    wait_until(lambda: doctor.heard()["frames"] > before + 5, 25)


def test_a_browser_without_webrtc_is_told(call: Call) -> None:
    patient = call("b", script="delete window.RTCPeerConnection;")
    patient.shows("unsupported")


def test_quality_is_told_to_the_gateway(bus: Bus, site: Site, call: Call) -> None:
    with Site() as inside:
        inside.pages["/internal/calls/seats"] = lambda: (204, "text/plain", "")
        own = Gateway(
            bus.url, SANJEEVANI_PUBLIC_URL=site.url, SANJEEVANI_INTERNAL_URL=inside.url
        ).start()
        try:
            doctor, _patient = call("a", at=own), call("b", at=own)
            doctor.shows("connected")

            def told() -> bool:
                doctor.page.wait_for_timeout(200)
                return any(b'"kind":"quality"' in body for _, _, body in inside.requests)

            wait_until(told, 15)
        finally:
            own.stop()


@pytest.mark.parametrize(("redundant", "codecs"), [("false", "111 63"), ("true", "63 111")])
def test_speech_is_asked_for_in_long_packets(call: Call, redundant: str, codecs: str) -> None:
    offer = (
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\na=ptime:20\r\n"
        "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"
        "a=fmtp:63 111/111\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
    )
    tuned = call("a").page.evaluate(
        f"async (sdp) => (await import('/js/parts/peer.js')).tuned(sdp, {redundant})", offer
    )
    assert tuned == (
        f"v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF {codecs}\r\na=rtpmap:111 opus/48000/2\r\n"
        "a=fmtp:111 minptime=10;maxaveragebitrate=16000;usedtx=1;useinbandfec=1\r\n"
        "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=ptime:60\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n"
    )


@pytest.mark.parametrize("sheet", ["call", "desk"])
def test_high_contrast_shows_who_is_muted(browser: Browser, sheet: str) -> None:
    page = browser.new_page(forced_colors="active")
    page.set_content(
        '<button class="tool" aria-pressed="true">Mute</button>'
        '<button class="tool" aria-pressed="false">Camera off</button>'
    )
    page.add_style_tag(path=SHEETS / f"{sheet}.css")
    muted, filmed = page.evaluate(
        "[...document.querySelectorAll('button')].map(one => getComputedStyle(one).backgroundColor)"
    )
    assert muted != filmed
    page.close()


def test_the_scripts_are_light() -> None:
    """The built call page script is committed; the whole page's scripts stay below 25 KB."""
    import gzip

    static = Path(__file__).parents[2] / "src/sanjeevani/web/static/js"
    total = sum(
        len(gzip.compress((static / name).read_bytes(), 9))
        for name in ("page.js", "live.js", "call.js", "waiting.js")
    )
    assert total < 25_000
