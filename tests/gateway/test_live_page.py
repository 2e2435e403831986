"""frontend/js/live.js and waiting.js in a real browser, on a real gateway."""

import datetime
import json
import threading
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.gateway.conftest import Bus, Gateway, new_topic, ticket, wait_until
from tests.gateway.site import Answer, Site


class Room:
    """A waiting room page of one topic."""

    def __init__(self, site: Site, topic: str, gateway_url: str) -> None:
        self.site = site
        self.topic = topic
        self.gateway_url = gateway_url
        self.fragment = "<p>place 3</p>"
        self.seconds = 600
        name = topic.rpartition(".")[2]
        self.path, self.src, self.tickets = f"/{name}", f"/fragment/{name}", f"/ticket/{name}"
        site.pages[self.src] = lambda: (200, "text/html", self.fragment)
        site.pages[self.tickets] = self.ticket

    def ticket(self) -> Answer:
        body = {
            "ticket": ticket({self.topic: "me"}, seconds=self.seconds),
            "expires": self.seconds,
        }
        return 200, "application/json", json.dumps(body)

    def open(self, page: Page, *, extra: str = "", inner: str | None = None) -> None:
        self.site.page(
            self.path,
            f"""<!doctype html><html lang="en"><head><title>Waiting</title>
            <meta name="live-gateway" content="{self.gateway_url}">
            <link rel="icon" href="data:,">
            <script type="module" src="/js/live.js"></script>
            <script type="module" src="/js/waiting.js"></script></head>
            <body data-live-ticket-url="{self.tickets}">
            <p id="status" data-live-status data-text-live="live"
               data-text-polling="every few seconds" data-text-offline="no connection"></p>
            <div id="part" data-live-topic="desk.00 {self.topic}" data-live-src="{self.src}"
                 data-live-poll="1">{self.fragment if inner is None else inner}</div>
            {extra}</body></html>""",
        )
        page.goto(self.site.url + self.path)

    def loads(self) -> int:
        return len(self.site.asked(self.src))


@pytest.fixture(scope="module")
def gateway(bus: Bus, site: Site) -> Iterator[Gateway]:
    """A gateway for the pages of the site."""
    process = Gateway(bus.url, SANJEEVANI_PUBLIC_URL=site.url).start()
    yield process
    process.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page; an error in a script fails the test."""
    opened = browser.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert not errors


@pytest.fixture
def room(site: Site, gateway: Gateway) -> Room:
    return Room(site, new_topic(), gateway.url)


def test_a_hint_makes_the_page_look_again(bus: Bus, room: Room, page: Page) -> None:
    room.open(page)
    expect(page.locator("#status")).to_have_text("live")
    wait_until(lambda: room.loads() == 1)
    page.wait_for_timeout(1_100)
    room.fragment = "<p>place 2</p>"
    started = time.monotonic()
    bus.hint(room.topic, {})
    expect(page.locator("#part")).to_have_text("place 2")
    assert time.monotonic() - started < 1
    assert room.site.asked(room.src) == [200, 200]


def test_what_has_not_changed_comes_as_304(bus: Bus, room: Room, page: Page) -> None:
    room.open(page)
    wait_until(lambda: room.loads() == 1)
    page.wait_for_timeout(1_100)
    bus.hint(room.topic, {})
    wait_until(lambda: room.loads() == 2)
    assert room.site.asked(room.src) == [200, 304]


def test_many_hints_cost_one_request_a_second(bus: Bus, room: Room, page: Page) -> None:
    room.open(page)
    wait_until(lambda: room.loads() == 1)
    for number in range(40):
        room.fragment = f"<p>place {number}</p>"
        bus.hint(room.topic, {})
        time.sleep(0.05)
    expect(page.locator("#part")).to_have_text("place 39")
    assert room.loads() <= 5


def test_a_hint_that_says_it_all_costs_no_request(bus: Bus, room: Room, page: Page) -> None:
    room.fragment = '<p>You are <b data-live-bind="place">3</b> in line</p>'
    room.open(page, inner="")
    page.evaluate("document.addEventListener('live:look', (e) => { window.told = e.detail; })")
    expect(page.locator("#part")).to_have_text("You are 3 in line")
    bus.hint(room.topic, None, me={"place": 2})
    expect(page.locator("#part")).to_have_text("You are 2 in line")
    assert page.evaluate("window.told") == {"place": 2, "topic": room.topic}
    assert room.loads() == 1
    page.wait_for_timeout(1_000)
    bus.hint(room.topic, {})
    wait_until(lambda: room.loads() == 2)


def test_a_hint_that_meets_an_older_answer_on_its_way_asks_again(
    bus: Bus, room: Room, page: Page
) -> None:
    seen, hinted = threading.Event(), threading.Event()

    def slow() -> Answer:
        text = room.fragment
        seen.set()
        hinted.wait(10)
        return 200, "text/html", text

    room.fragment = '<p>You are <b data-live-bind="place">3</b> in line</p>'
    room.site.pages[room.src] = slow
    room.open(page)
    assert seen.wait(10)
    room.fragment = '<p>You are <b data-live-bind="place">2</b> in line</p>'
    bus.hint(room.topic, None, me={"place": 2})
    expect(page.locator("#part")).to_have_text("You are 2 in line")
    hinted.set()
    wait_until(lambda: room.loads() == 2)
    expect(page.locator("#part")).to_have_text("You are 2 in line")


def test_focus_typed_text_scroll_and_what_was_opened_survive(
    bus: Bus, room: Room, page: Page
) -> None:
    def fragment(count: int) -> str:
        lines = "".join(f"<li>message {number}</li>" for number in range(count))
        return (
            f'<p>{count} messages</p><ol id="log" data-live-tail tabindex="0">{lines}</ol>'
            '<details id="more"><summary>More</summary>Text</details>'
            '<div id="box"><p>long</p></div>'
            '<form><label for="text">Write</label><input id="text" name="text" value="">'
            '<input type="checkbox" id="tick"></form>'
        )

    room.fragment = fragment(30)
    room.open(page)
    page.add_style_tag(
        content="#log,#box{height:80px;overflow:auto;display:block} #box p{height:900px}"
    )
    wait_until(lambda: room.loads() == 1)
    page.fill("#text", "मुझे खाँसी है")
    page.check("#tick")
    page.click("summary")
    page.focus("#text")
    page.evaluate(
        """() => { text.setSelectionRange(2, 4); box.scrollTop = 333; log.scrollTop = 99999;
                   window.same = text; }"""
    )
    page.wait_for_timeout(1_100)
    room.fragment = fragment(40)
    bus.hint(room.topic, {})
    expect(page.locator("#part > p")).to_have_text("40 messages")
    assert page.evaluate(
        """[document.activeElement === text && window.same === text, text.value,
            text.selectionStart, text.selectionEnd, tick.checked, more.open, box.scrollTop,
            log.scrollHeight - log.scrollTop - log.clientHeight < 2]"""
    ) == [True, "मुझे खाँसी है", 2, 4, True, True, 333, True]


def test_without_a_gateway_the_page_polls_and_says_so(site: Site, page: Page) -> None:
    room = Room(site, new_topic(), "http://localhost:1")
    room.open(page)
    expect(page.locator("#status")).to_have_text("every few seconds", timeout=8_000)
    room.fragment = "<p>place 1</p>"
    expect(page.locator("#part")).to_have_text("place 1", timeout=4_000)


def test_while_nats_is_away_the_page_polls(bus: Bus, room: Room, page: Page) -> None:
    room.open(page)
    expect(page.locator("#status")).to_have_text("live")
    bus.stop()
    try:
        expect(page.locator("#status")).to_have_text("every few seconds", timeout=8_000)
        room.fragment = "<p>place 1</p>"
        expect(page.locator("#part")).to_have_text("place 1", timeout=4_000)
    finally:
        bus.start()
    room.fragment = "<p>place 0</p>"
    expect(page.locator("#status")).to_have_text("live", timeout=8_000)
    expect(page.locator("#part")).to_have_text("place 0")


def test_a_gateway_killed_and_started_again_is_found(bus: Bus, site: Site, page: Page) -> None:
    own = Gateway(bus.url, SANJEEVANI_PUBLIC_URL=site.url).start()
    try:
        room = Room(site, new_topic(), own.url)
        room.open(page)
        expect(page.locator("#status")).to_have_text("live")
        assert own.process is not None
        own.process.kill()
        own.process.wait()
        room.fragment = "<p>missed</p>"
        own.start()
        expect(page.locator("#part")).to_have_text("missed", timeout=12_000)
        expect(page.locator("#status")).to_have_text("live", timeout=12_000)
        assert len(site.asked(room.tickets)) <= 2, "a good ticket is used again"
    finally:
        own.stop()


@pytest.mark.verify
def test_a_ticket_is_renewed_before_it_expires(
    bus: Bus, room: Room, page: Page, gateway: Gateway
) -> None:
    room.seconds = 12
    room.open(page)
    expect(page.locator("#status")).to_have_text("live")
    wait_until(lambda: len(room.site.asked(room.tickets)) >= 2, 15)
    page.wait_for_timeout(500)
    assert page.locator("#status").text_content() == "live"
    page.wait_for_timeout(600)
    room.fragment = "<p>place 2</p>"
    bus.hint(room.topic, {})
    expect(page.locator("#part")).to_have_text("place 2")


@pytest.mark.parametrize("status", [403, 404])
def test_a_refused_ticket_leaves_the_page_polling(room: Room, page: Page, status: int) -> None:
    room.site.pages[room.tickets] = lambda: (status, "text/html", "")
    room.open(page)
    expect(page.locator("#status")).to_have_text("every few seconds", timeout=8_000)
    assert len(room.site.asked(room.tickets)) == 1


def test_a_service_in_trouble_gives_no_ticket(room: Room, page: Page) -> None:
    """What it says of the trouble is asked for a ticket no more than the page of a proxy is."""
    good = room.site.pages[room.tickets]
    room.site.pages[room.tickets] = lambda: (429, "application/problem+json", "{}")
    streams: list[str] = []
    page.on("request", lambda one: streams.append(one.url) if "/live/events" in one.url else None)
    room.open(page)
    wait_until(lambda: len(room.site.asked(room.tickets)) >= 1)
    room.site.pages[room.tickets] = good
    expect(page.locator("#status")).to_have_text("live", timeout=12_000)
    assert len(streams) == 1
    assert "ticket=undefined" not in streams[0]


def test_a_fragment_that_is_gone_is_left_alone(bus: Bus, room: Room, page: Page) -> None:
    room.site.pages[room.src] = lambda: (404, "text/html", "<h1>Not found</h1>")
    room.open(page)
    wait_until(lambda: room.loads() == 1)
    page.wait_for_timeout(1_100)
    bus.hint(room.topic, {})
    page.wait_for_timeout(1_500)
    assert room.loads() == 1
    expect(page.locator("#part")).to_have_text("place 3")


def test_back_online_the_page_looks_at_once(room: Room, page: Page) -> None:
    room.open(page)
    expect(page.locator("#status")).to_have_text("live")
    wait_until(lambda: room.loads() == 1)
    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('offline'))")
    page.wait_for_timeout(1_200)
    room.fragment = "<p>place 1</p>"
    page.context.set_offline(False)
    expect(page.locator("#part")).to_have_text("place 1", timeout=3_000)
    expect(page.locator("#status")).to_have_text("live", timeout=6_000)


def test_the_turn_rings_changes_the_title_and_counts_down(bus: Bus, room: Room, page: Page) -> None:
    page.add_init_script(
        """window.rings = 0; window.shakes = 0;
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...when) {
          window.rings++;
          start.apply(this, when);
        };
        navigator.vibrate = (pattern) => { if (pattern) window.shakes++; return true; };"""
    )
    room.open(page, extra='<button data-silence id="silence">Stop ringing</button>')
    wait_until(lambda: room.loads() == 1)
    page.click("body")
    page.wait_for_timeout(1_100)
    # A phone whose clock is an hour wrong still counts right.
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    deadline = now + datetime.timedelta(seconds=119)
    room.fragment = (
        '<section data-call-now data-title="It is your turn" data-icon="data:,call">'
        f'<b id="left" data-deadline="{deadline.isoformat()}" data-now="{now.isoformat()}">2:00</b>'
        "</section>"
    )
    bus.hint(room.topic, {})
    expect(page).to_have_title("It is your turn")
    expect(page.locator("#left")).to_have_text("1:58")
    assert page.evaluate("document.querySelector('link[rel=icon]').href") == "data:,call"
    page.wait_for_function("window.rings >= 4 && window.shakes >= 2", timeout=8_000)
    page.click("#silence")
    rings = page.evaluate("window.rings")
    page.wait_for_timeout(3_500)
    assert page.evaluate("window.rings") == rings
    room.fragment = "<p>You are with the doctor</p>"
    bus.hint(room.topic, {})
    expect(page).to_have_title("Waiting")


def test_a_screen_reader_hears_that_the_turn_has_come(bus: Bus, room: Room, page: Page) -> None:
    room.fragment = "<h1>Waiting room</h1>"
    room.open(page, extra='<p role="alert" data-stage-told></p>')
    wait_until(lambda: room.loads() == 1)
    told = page.locator("[data-stage-told]")
    expect(told).to_have_text("")
    room.fragment = "<section data-call-now data-title='Now'><h1>It is your turn</h1></section>"
    bus.hint(room.topic, {})
    expect(told).to_have_text("It is your turn")
    expect(page).to_have_title("Now")
    # Opened while it rang, the page would be called so from then on.
    room.fragment = "<h1>Waiting room again</h1>"
    bus.hint(room.topic, {})
    expect(told).to_have_text("Waiting room again")
    expect(page).to_have_title("Waiting room again")


def test_of_a_conversation_only_what_is_new_is_heard_until_it_ends(
    bus: Bus, room: Room, page: Page
) -> None:
    first = '<ol class="messages"><li>Fever</li></ol>'
    both = '<ol class="messages"><li>Fever</li><li>And a rash</li></ol>'
    room.site.pages["/write"] = lambda: (201, "text/html", both)
    room.fragment = first
    room.open(
        page,
        extra="""<form data-chat data-failed="Not sent" action="/write" method="post">
        <input name="text"><input type="hidden" name="client_key"><p data-chat-error hidden></p>
        <button type="submit">Send</button></form>
        <script type="module" src="/js/chat.js"></script>""",
    )
    page.evaluate("document.querySelector('#part').dataset.chatMessages = ''")
    page.evaluate("window.fever = document.querySelector('li')")
    page.fill("[name=text]", "And a rash")
    page.click("button")
    expect(page.locator("li")).to_have_text(["Fever", "And a rash"])
    assert page.evaluate("window.fever.isConnected")
    # What cannot be sent any more stays to be read; an empty field goes.
    page.fill("[name=text]", "Thank you")
    room.fragment = f"{both}<p data-chat-over>This conversation has ended.</p>"
    bus.hint(room.topic, {})
    expect(page.locator("[data-chat-over]")).to_be_attached()
    expect(page.locator("[name=text]")).to_have_value("Thank you")
    page.fill("[name=text]", "")
    room.fragment += "<p>Until tomorrow</p>"
    bus.hint(room.topic, {})
    expect(page.locator("form")).to_have_count(0)


def test_who_is_sent_on_arrives_over_a_slow_link(room: Room, page: Page) -> None:
    def slow() -> Answer:
        time.sleep(4)
        return 200, "text/html", "<!doctype html><title>There</title><p>the other line</p>"

    there = f"{room.path}/there"
    room.site.pages[there] = slow
    room.fragment = f'<h1 data-moved-to="{there}">You go on elsewhere</h1>'
    room.open(page)
    expect(page).to_have_title("There", timeout=20_000)
    assert room.site.asked(there) == [200]


def test_the_screen_is_kept_awake(room: Room, page: Page) -> None:
    page.add_init_script(
        """window.locks = [];
        navigator.wakeLock.request = async (kind) => {
          locks.push(kind);
          return {released: false};
        };"""
    )
    room.open(page, extra="<div data-wake-lock></div>")
    page.wait_for_function("locks.length === 1 && locks[0] === 'screen'")
