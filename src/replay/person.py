"""Somebody with a device: requests with their times, and a live connection."""

import asyncio
import contextlib
import json
import random
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from replay import html
from replay.measuring import Steps

SERVICE_AWAY = (502, 503, 504)
SAFETY_SECONDS = 60.0
SILENCE_SECONDS = 5.0
KEPT_SECONDS = 20
"""How long a device keeps a connection on which nothing is said. The service ends it after 30: who
sends at that moment is not answered, and a browser, unlike this client, sends it again unasked."""


class Failed(Exception):
    """A step did not end as it should."""


@dataclass
class World:
    """What everybody in a replay shares."""

    url: str
    steps: Steps
    tls: ssl.SSLContext
    patience: float
    """How many seconds somebody tries again while the service is away; 0: an error at once."""
    random: random.Random
    requested: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Consultations that the service acknowledged, by id."""
    completed: set[str] = field(default_factory=set)
    prescriptions: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    rated: set[str] = field(default_factory=set)
    noted: set[str] = field(default_factory=set)
    """Consultations for which the service has taken the doctor's advice."""
    handed_out: set[str] = field(default_factory=set)
    """Consultations whose medicines were handed out at a spoke."""
    refusals: list[tuple[str, str]] = field(default_factory=list)
    """(why, clinic) of tokens that were refused."""


class Person:
    """A device with its cookies or its token, and with connections of its own.

    Were they drawn from one pool, the few that are always taken first would bring nearly everything
    to one web worker, and the others would have nothing to do.
    """

    def __init__(self, world: World, prefix: str) -> None:
        self.world = world
        self.prefix = prefix
        self.client = httpx.AsyncClient(
            base_url=world.url,
            verify=world.tls,
            trust_env=False,
            timeout=60,
            limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
        )
        self.repeated = False
        """Whether the last step had to be sent again: the first may have had its effect."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.client.aclose()

    async def step(
        self,
        name: str,
        method: str,
        address: str,
        *,
        accept: tuple[int, ...] = (200,),
        **request: Any,
    ) -> httpx.Response:
        """Send a request and take its time. Raises Failed for an unexpected status.

        While the service is away it is sent again, as people press a button again.
        """
        step = f"{self.prefix}.{name}"
        self.repeated = False
        started = away_since = time.perf_counter()
        while True:
            try:
                with self.world.steps.timed(step):
                    response = await self.client.request(method, address, **request)
                    while response.next_request is not None:
                        # The form has arrived. If the way on breaks, a browser loads that page
                        # again; it does not send the form a second time.
                        method, address, request = "GET", str(response.next_request.url), {}
                        response = await self.client.request(method, address)
                    if response.status_code in SERVICE_AWAY:
                        raise httpx.ReadError(f"status {response.status_code}")
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if time.perf_counter() - started >= self.world.patience:
                    self.world.steps.failed(step, type(error).__name__)
                    raise Failed(f"{step}: {type(error).__name__}") from error
                self.repeated = True
                self.world.steps.repeated[step] += 1
                await asyncio.sleep(0.1 + self.world.random.random() * 0.4)
                continue
            if self.repeated:
                self.world.steps.away.append((away_since, time.perf_counter()))
            if response.status_code not in accept:
                self.world.steps.failed(step, str(response.status_code))
                raise Failed(f"{step}: {response.status_code} {response.url}")
            return response

    async def sign_in_staff(
        self, login: str, password: str, accept: tuple[int, ...] = (200,)
    ) -> None:
        """Sign in as a member of staff. Raises Failed."""
        page = (await self.step("sign_in", "GET", "/staff/sign-in")).text
        form = needed_form(page, "password")
        data = form.with_values(login=login, password=password)
        address = form.action or "/staff/sign-in"
        await self.step("password", "POST", address, data=data, accept=accept)

    async def read_code(self, mobile: str, purpose: str = "sign_in_code") -> str:
        """Read a code from the development inbox, as it arrives on the phone."""
        deadline = time.monotonic() + 30 + self.world.patience
        with self.world.steps.timed(f"{self.prefix}.sms_arrives"):
            while time.monotonic() < deadline:
                await asyncio.sleep(0.25)
                answer = await self.step("inbox", "GET", "/inbox.json", params={"mobile": mobile})
                for message in answer.json()["messages"]:
                    code = re.search(r"\b\d{6}\b", message["text"])
                    if code and message["purpose"] == purpose:
                        return code.group()
        raise Failed(f"{self.prefix}: no code arrived")


class Held:
    """Something that runs beside a person, for as long as the block lasts."""

    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._task
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        raise NotImplementedError


class Stream(Held):
    """A live connection to the gateway, opened again when it breaks."""

    def __init__(
        self,
        person: Person,
        ticket: Callable[[], Awaitable[tuple[str, str]]],
        on_look: Callable[[Any], None],
    ) -> None:
        """`ticket` returns the stream's address and a ticket for it.

        What is to be looked at: `{"topic": ...}` of a hint, or None for all.
        """
        self._person = person
        self._ticket = ticket
        self._on_look = on_look
        self.live = False
        self.is_of_page = False
        """Whether the ticket came with the page: the gateway then knows what the page lacks."""
        self.heard = asyncio.Event()

    async def _run(self) -> None:
        attempt = 0
        while True:
            with contextlib.suppress(httpx.HTTPError, Failed, ValueError, KeyError):
                address, ticket = await self._ticket()
                async with self._person.client.stream(
                    "GET",
                    address,
                    params={"ticket": ticket},
                    timeout=httpx.Timeout(10, read=50),
                ) as response:
                    if response.status_code == 200:
                        attempt = 0
                        await self._listen(response)
            self.live = False
            self.heard.set()
            attempt += 1
            await asyncio.sleep(self._person.world.random.random() * min(3 * 1.5**attempt, 30))

    async def _listen(self, response: httpx.Response) -> None:
        async for event, data in _events(response):
            if event in ("hello", "resync"):
                self.live = event == "resync" or bool(data.get("bus"))
                missed = data.get("missed") if self.is_of_page else None
                for topic in [None] if missed is None else missed:
                    self._on_look(None if topic is None else {"topic": topic})
            elif event == "lost":
                self.live = False
            elif event == "look":
                self._on_look(data)
            self.heard.set()


async def _events(response: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    event, data = "message", ""
    async for line in response.aiter_lines():
        if line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()
        elif not line:
            if data:
                yield event, json.loads(data)
            event, data = "message", ""


class LivePage:
    """A page whose parts are fetched again when the gateway says so, as the page's script does."""

    def __init__(self, person: Person, page: str, name: str) -> None:
        self.person = person
        self.name = name
        self.fragments = html.fragments_in(page)
        self._was_live = False
        ticket_address = html.attribute(page, "data-live-ticket-url")
        gateway = html.gateway_of(page)
        brought = html.attribute(page, "data-live-ticket")
        own = [brought] if brought else []

        async def ticket() -> tuple[str, str]:
            self.stream.is_of_page = bool(own)
            if own:
                given = own.pop()
            else:
                answer = await person.step(f"{name}.ticket", "GET", ticket_address)
                given = answer.json()["ticket"]
            return f"{gateway}/live/events", given

        self.stream = Stream(person, ticket, self._look)

    def _look(self, detail: Mapping[str, Any] | None) -> None:
        for fragment in self.fragments:
            if detail is None:
                fragment.wanted = True
            elif detail.get("topic") in fragment.topics:
                told = fragment.binds and all(
                    detail.get(name) is not None for name in fragment.binds
                )
                fragment.wanted = fragment.wanted or not told

    async def __aenter__(self) -> Self:
        now = time.monotonic()
        for fragment in self.fragments:
            fragment.due = now + SILENCE_SECONDS
        await self.stream.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stream.__aexit__(*error)

    async def changed(self) -> tuple[str, str]:
        """Wait until a part has changed; return its address and content."""
        while True:
            now = time.monotonic()
            if self.stream.live is not self._was_live:
                # While it is live nothing is fetched for its age, but once a minute.
                for fragment in self.fragments:
                    fragment.due = now + (
                        self._about(SAFETY_SECONDS) if self.stream.live else SILENCE_SECONDS
                    )
            self._was_live = self.stream.live
            for fragment in self.fragments:
                if (fragment.wanted or fragment.due <= now) and fragment.not_before <= now:
                    content = await self._fetch(fragment)
                    if content is not None:
                        return fragment.address, content
            self.stream.heard.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self.stream.heard.wait()

    def _about(self, seconds: float) -> float:
        return seconds * (0.9 + self.person.world.random.random() / 5)

    def _pause(self) -> float:
        now = time.monotonic()
        moments = [
            fragment.not_before if fragment.wanted else max(fragment.due, fragment.not_before)
            for fragment in self.fragments
        ]
        return max(0.0, min(moments, default=now + 1) - now)

    async def _fetch(self, fragment: html.Fragment) -> str | None:
        fragment.wanted = False
        fragment.not_before = time.monotonic() + fragment.least_seconds
        headers = {"X-Fragment": "1"}
        if fragment.tag:
            headers["If-None-Match"] = fragment.tag
        answer = await self.person.step(
            f"{self.name}.part", "GET", fragment.address, headers=headers, accept=(200, 304)
        )
        seconds = SAFETY_SECONDS if self.stream.live else fragment.poll_seconds
        fragment.due = time.monotonic() + self._about(seconds)
        if answer.status_code == 304:
            return None
        fragment.tag = answer.headers.get("ETag", "")
        fragment.binds = html.binds_in(answer.text)
        return answer.text


def needed_form(page: str, name: str) -> html.Form:
    """Return the first form that has a field or button of this name. Raises Failed."""
    form = html.form_with(page, name)
    if form is None:
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
        raise Failed(f"no form with {name} on “{title.group(1).strip() if title else '?'}”")
    return form


def path_of(response: httpx.Response) -> str:
    """Return the path that a request ended at."""
    return urlsplit(str(response.url)).path
