"""Pages that call each other in a real browser, and a TURN server for them."""

import base64
import contextlib
import hashlib
import hmac
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.gateway.conftest import free_port, ticket, wait_until
from tests.gateway.site import Site

STATES = """
waiting connecting connected reconnecting unreachable relay-refused ended elsewhere closed refused
unsupported audio low medium full microphone-refused microphone-missing microphone-busy
camera-refused camera-missing camera-busy offer-phone
"""
TEXTS = " ".join(f'data-text-{state}="{state}"' for state in STATES.split())

WATCH = """
window.connections = []; window.events = [];
window.RTCPeerConnection = class extends (window.RTCPeerConnection ?? Object) {
  constructor(...given) { super(...given); window.connections.push(this); }
};
for (const name of ['state', 'rung', 'problem', 'offer-phone']) {
  document.addEventListener('call:' + name, ({ detail }) => window.events.push([name, detail]));
}
window.heard = async () => {
  const found = { audio: 0, energy: 0, frames: 0, lost: 0, samples: 0, concealed: 0, silent: 0,
                  relayed: false, fps: 0, ids: '' };
  for (const connection of window.connections) {
    if (connection.connectionState === 'closed') continue;
    const stats = await connection.getStats();
    for (const report of stats.values()) {
      if (report.type === 'inbound-rtp' && report.kind === 'audio') {
        found.audio += report.packetsReceived; found.energy += report.totalAudioEnergy;
        found.lost += report.packetsLost; found.samples += report.totalSamplesReceived;
        found.concealed += report.concealedSamples; found.silent += report.silentConcealedSamples;
      } else if (report.type === 'inbound-rtp') {
        found.frames += report.framesDecoded ?? 0; found.fps = report.framesPerSecond ?? 0;
      } else if (report.type === 'transport') {
        const pair = stats.get(report.selectedCandidatePairId);
        if (stats.get(pair?.localCandidateId)?.candidateType === 'relay') found.relayed = true;
      }
    }
  }
  return found;
};
"""


class Caller:
    """One page on one seat."""

    def __init__(
        self,
        browser: Browser,
        site: Site,
        gateway_url: str,
        room: str,
        seat: str,
        *,
        ice: dict[str, Any] | None = None,
        script: str = "",
    ) -> None:
        self.site = site
        path = f"/call/{room}/{seat}"
        answer = {"expires": 600, "ice": ice or {}}
        site.pages[f"{path}/ticket"] = lambda: (
            200,
            "application/json",
            json.dumps({**answer, "ticket": ticket(room=room, seat=seat)}),
        )
        site.page(
            path,
            f"""<!doctype html><html lang="en"><head><title>{seat}</title>
            <meta name="live-gateway" content="{gateway_url}"><link rel="icon" href="data:,">
            <script type="module" src="/js/call.js"></script></head><body>
            <section data-call-room data-call-auto data-call-ticket-url="{path}/ticket">
            <p id="status" data-call-status {TEXTS}></p><p id="notice" data-call-notice {TEXTS}></p>
            <div data-call-remotes></div><video data-call-local muted autoplay playsinline></video>
            <button data-call-mute aria-pressed="false">Mute</button>
            <button data-call-camera aria-pressed="false">Camera off</button>
            <button data-call-leave>Leave</button></section>
            <div id="mode" data-call-mode="video"></div></body></html>""",
        )
        self.context: BrowserContext = browser.new_context(permissions=["microphone", "camera"])
        self.context.add_init_script(WATCH + script)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(site.url + path)

    def shows(self, state: str, seconds: float = 15) -> None:
        """Wait until the status says so."""
        expect(self.page.locator("#status")).to_have_text(state, timeout=1_000 * seconds)

    def heard(self) -> dict[str, Any]:
        """Return the sums of what its connections received."""
        found: dict[str, Any] = self.page.evaluate("heard()")
        return found

    def events(self, name: str) -> list[Any]:
        """Return the details of the page's events of one name."""
        found: list[list[Any]] = self.page.evaluate("events")
        return [detail for given, detail in found if given == name]

    def hears_speech(self, seconds: float = 8) -> None:
        """Wait until sound that is not silence arrives."""
        before = self.heard()

        def more() -> bool:
            self.page.wait_for_timeout(100)
            now = self.heard()
            return bool(now["audio"] > before["audio"] and now["energy"] > before["energy"])

        wait_until(more, seconds)

    def allows(self, mode: str) -> None:
        """Set the mode, as a live fragment of the server would."""
        self.page.evaluate(
            """(mode) => {
              document.querySelector('#mode').dataset.callMode = mode;
              document.dispatchEvent(new CustomEvent('live:updated'));
            }""",
            mode,
        )

    def close(self) -> None:
        """Close the page; an error in a script fails the test."""
        self.context.close()
        assert not self.errors


class Turn:
    """coturn, with the shared secret of its REST credentials."""

    secret = "a secret of the relay"

    def __init__(self, *arguments: str, address: str = "127.0.0.1") -> None:
        self.port = free_port()
        self.address = address
        self._arguments = arguments

    def ice(self, secret: str | None = None) -> dict[str, Any]:
        """Return an RTCConfiguration that allows the relay only."""
        username = f"{int(time.time()) + 600}:test"
        digest = hmac.new((secret or self.secret).encode(), username.encode(), hashlib.sha1)
        server = {
            "urls": [f"turn:{self.address}:{self.port}?transport=udp"],
            "username": username,
            "credential": base64.b64encode(digest.digest()).decode(),
        }
        return {"iceServers": [server], "iceTransportPolicy": "relay"}

    @contextlib.contextmanager
    def running(self, folder: Path) -> Iterator["Turn"]:
        """Run it."""
        program = shutil.which("turnserver")
        assert program, "coturn is not installed (README.md)"
        process = subprocess.Popen(
            [
                program,
                "-n",
                f"--listening-ip={self.address}",
                f"--relay-ip={self.address}",
                f"--listening-port={self.port}",
                "--use-auth-secret",
                f"--static-auth-secret={self.secret}",
                "--realm=test",
                "--fingerprint",
                "--stale-nonce",
                "--no-multicast-peers",
                "--allow-loopback-peers",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                f"--pidfile={folder / 'turn.pid'}",
                f"--log-file={folder / 'turn.log'}",
                "--simple-log",
                *self._arguments,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(self._answers, 30)
            yield self
        finally:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self.address, self.port), 1),
        ):
            return True
        return False


def speech(folder: Path) -> Path:
    """Return a recording of speech for the fake microphone: beeps would mislead DTX."""
    recording = folder / "speech.wav"
    text = (
        "Good morning, please tell me since when your child has the fever. "
        "She has it since yesterday evening, and she coughs at night. "
        "Does she drink, and how often did she pass water today? "
    )
    subprocess.run(["espeak-ng", "-s", "150", "-w", recording, text * 3], check=True)
    return recording
