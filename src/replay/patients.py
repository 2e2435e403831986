"""A patient's consultation: through the pages' own forms, or through JSON."""

import asyncio
import contextlib
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

from replay import html
from replay.call import TICKET_URL, Call
from replay.person import Failed, LivePage, Person, Stream, World, path_of

CODE_AGAIN_SECONDS = 31
NO_PLACE_TRIES = 5
API = "/api/v1"

PRESCRIBE = "Please write me a medicine."
"""What a patient writes to whom the doctor here prescribes; others get advice."""


@dataclass(frozen=True)
class Case:
    """Who is ill, and of what."""

    state_id: int
    mobile: str
    relation: str
    name: str
    gender: str
    age: int
    complaint: str
    text: str
    pregnant: str


def new_case(world: World, state_id: int) -> Case:
    """Make up a patient: adults with a fever mostly, children, and women in pregnancy."""
    chance = world.random
    kind = chance.choices(("adult", "child", "mother"), (70, 20, 10))[0]
    mobile = f"+91{chance.choice('6789')}{chance.randrange(10**9):09}"
    number = chance.randrange(1000)
    if kind == "child":
        gender = chance.choice(("female", "male"))
        return Case(
            state_id,
            mobile,
            "child",
            f"Replay Child {number}",
            gender,
            chance.randrange(2, 11),
            "fever",
            "Fever since yesterday.",
            "",
        )
    if kind == "mother":
        return Case(
            state_id,
            mobile,
            "self",
            f"Replay Mother {number}",
            "female",
            chance.randrange(20, 36),
            "pregnancy_care",
            "Fifth month, a question on food.",
            "yes",
        )
    gender = chance.choice(("female", "male"))
    return Case(
        state_id,
        mobile,
        "self",
        f"Replay Adult {number}",
        gender,
        chance.randrange(20, 71),
        chance.choice(("fever", "cough", "headache")),
        f"Since Friday. {PRESCRIBE}",
        "no",
    )


class PagePatient(Person):
    """A patient with a browser."""

    def __init__(self, world: World, case: Case) -> None:
        super().__init__(world, "patient")
        self.case = case

    async def consult(self) -> None:
        """Go the whole way. Raises Failed."""
        await self._sign_in()
        page = await self._register()
        address, page = await self._take_token(page)
        page = await self._be_served(address, page)
        await self._after(address, page)

    async def _sign_in(self) -> None:
        await self.step("landing", "GET", "/")
        while True:
            page = (await self.step("sign_in", "GET", "/sign-in")).text
            form = _form(page, "mobile")
            answer = await self.step(
                "ask_code",
                "POST",
                form.action or "/sign-in",
                data=form.with_values(mobile=self.case.mobile),
            )
            form = _form(answer.text, "code")
            code = await self.read_code(self.case.mobile)
            answer = await self.step(
                "enter_code",
                "POST",
                form.action or "/sign-in/code",
                data=form.with_values(code=code),
                accept=(200, 422) if self.world.patience else (200,),
            )
            if answer.status_code == 200:
                return
            # The first sending had its effect, but its answer with the session was lost.
            await asyncio.sleep(CODE_AGAIN_SECONDS)

    async def _register(self) -> str:
        answer = await self.step("start", "GET", "/people")
        if path_of(answer) == "/start":
            form = _form(answer.text, "state")
            answer = await self.step(
                "choose_state",
                "POST",
                form.action or "/start",
                data=form.with_values(state=str(self.case.state_id)),
            )
        form = _form(answer.text, "relation")
        case = self.case
        answer = await self.step(
            "register",
            "POST",
            form.action or "/people/add",
            data=form.with_values(
                relation=case.relation,
                name=case.name,
                gender=case.gender,
                age=str(case.age),
                age_unit="years",
                address="1 Replay Road",
                district="Replay",
            ),
        )
        path = path_of(answer)
        answer = await self.step("agree", "POST", path, data=_form_at(answer.text, path).values)
        path = path_of(answer)
        form = _form(answer.text, "sign")
        answer = await self.step("danger", "POST", path, data=form.with_values(sign="none"))
        path = path_of(answer)
        form = _form(answer.text, "complaints")
        said: dict[str, Any] = form.with_values(text=case.text, duration="3", duration_unit="days")
        field = "complaints"
        if case.complaint not in form.choices["complaints"]:
            field = "more_complaints"
        said[field] = [case.complaint]
        if "pregnant" in form.choices and case.pregnant:
            said["pregnant"] = case.pregnant
        answer = await self.step("trouble", "POST", path, data=said)
        # With a child, an adult has to be named.
        if path_of(answer).endswith("/companion"):
            form = _form(answer.text, "bond")
            adult = form.with_values(name="Savita Kumari", bond="parent")
            answer = await self.step("companion", "POST", path_of(answer), data=adult)
        return answer.text

    async def _take_token(self, page: str) -> tuple[str, str]:
        opds_address = html.attribute(page, "data-opds") or ""
        for _attempt in range(NO_PLACE_TRIES):
            for address in html.links(page, r"/people/[0-9a-f-]+/opds/\d+/[0-9a-f-]+"):
                opds_address = address.rsplit("/", 2)[0]
                answer = await self.step("opd", "GET", address)
                form = html.form_with(answer.text, "request_key")
                if form is None:
                    continue
                answer = await self.step(
                    "ask",
                    "POST",
                    form.action or address,
                    data=form.with_values(gender_preference="any"),
                    accept=(200, 409),
                )
                if answer.status_code == 200:
                    path = path_of(answer)
                    self.world.requested[path.rsplit("/", 1)[1]] = {"path": path}
                    return path, answer.text
                self.world.refusals.append((_reason(answer.text), address.rsplit("/", 1)[1]))
            await asyncio.sleep(1)
            if opds_address:
                page = (await self.step("opds", "GET", opds_address)).text
        self.world.steps.failed("patient.ask", "no OPD has a place")
        raise Failed("patient: no OPD has a place")

    async def _be_served(self, address: str, page: str) -> str:
        """Wait, answer the call, talk, until the doctor is done; return the last page."""
        consultation_id = address.rsplit("/", 1)[1]
        written = False
        async with LivePage(self, page, "waiting") as live, contextlib.AsyncExitStack() as talk:
            status = page
            while True:
                if 'id="feedback"' in status:
                    self.world.completed.add(consultation_id)
                    return status
                if "data-call-now" in status:
                    form = html.form_to(status, "/answer")
                    if form is not None:
                        answer = await self.step(
                            "answer_call", "POST", form.action, data=form.values, accept=(200, 409)
                        )
                        status = answer.text
                        continue
                elif "doctor__name" in status and not written:
                    if TICKET_URL not in status:
                        # The answer to the answer was lost: the page is loaded again.
                        status = (await self.step("consultation", "GET", address)).text
                    if call := Call.of_page(self, status):
                        await talk.enter_async_context(call)
                    written = True
                    await self._write(address, page)
                elif "data-over" in status or _is_over(status):
                    self.world.steps.failed("patient.waiting", "ended without a doctor's word")
                    raise Failed("patient: the consultation ended without a doctor's word")
                while True:
                    part, content = await live.changed()
                    if part.endswith("/status"):
                        status = content
                        break

    async def _write(self, address: str, page: str) -> None:
        form = html.form_with(page, "client_key")
        if form is None:
            return
        await self.step(
            "write",
            "POST",
            form.action or f"{address}/write",
            data=form.with_values(text="Thank you, doctor. Since Friday evening."),
            headers={"X-Fragment": "1"},
            accept=(201,),
        )
        self.world.messages.add(form.values["client_key"])

    async def _after(self, address: str, page: str) -> None:
        printed = html.links(page, r"/consultations/[^\"]*prescription\.pdf[^\"]*")
        if printed:
            number = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", _text_of(page))
            if number is None:
                raise Failed("patient.prescription: no number")
            self.world.prescriptions.add(number.group())
            answer = await self.step("prescription", "GET", printed[0])
            if not answer.content.startswith(b"%PDF"):
                raise Failed("patient.prescription: not a PDF")
        form = _form(page, "rating")
        await self.step("rate", "POST", form.action, data=form.with_values(rating="5", comment=""))
        self.world.rated.add(address.rsplit("/", 1)[1])


def _text_of(page: str) -> str:
    """Return the text without the tags: an id in an address can look like a number."""
    return re.sub(r"<[^>]*>", " ", page)


def _form(page: str, name: str) -> html.Form:
    form = html.form_with(page, name)
    if form is None:
        title = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
        raise Failed(f"no form with {name} on “{title.group(1).strip() if title else '?'}”")
    return form


def _form_at(page: str, path: str) -> html.Form:
    """Return the page's own form: the one without buttons of its own that goes to the page."""
    for form in html.forms_in(page):
        if form.action in ("", path):
            return form
    raise Failed(f"no form on {path}")


def _is_over(status: str) -> bool:
    return re.search(r'href="/people/[0-9a-f-]+/consent"', status) is not None


def _reason(page: str) -> str:
    for words, reason in (
        ("All places for today are taken", "LineFull"),
        ("The waiting room is full", "WaitingRoomFull"),
        ("This OPD is closed", "ClinicClosed"),
    ):
        if words in page:
            return reason
    return "other"


class JsonPatient(Person):
    """A patient with an app."""

    def __init__(self, world: World, case: Case) -> None:
        super().__init__(world, "json_patient")
        self.case = case

    async def call(
        self, name: str, method: str, path: str, body: Any = None, **request: Any
    ) -> Any:
        """Ask the API; what creates takes a key, the same for every repetition."""
        headers = request.pop("headers", {})
        if method == "POST":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        return await self.step(
            name,
            method,
            f"{API}{path}",
            json=body,
            headers=headers,
            accept=request.pop("accept", (200, 201, 202, 204, 304)),
        )

    async def consult(self) -> None:
        """Go the whole way. Raises Failed."""
        await self._sign_in()
        profile = await self._register()
        path = await self._take_token(profile)
        done = await self._be_served(path)
        if done["prescription_number"]:
            self.world.prescriptions.add(done["prescription_number"])
            await self.call("prescription", "GET", f"{path}/prescription.pdf")
        await self.call(
            "rate",
            "PUT",
            f"{path}/feedback",
            {"rating": 5},
            accept=(204, 409) if self.world.patience else (204,),
        )
        self.world.rated.add(path.rsplit("/", 1)[1])

    async def _sign_in(self) -> None:
        while True:
            sent = (
                await self.call("ask_code", "POST", "/codes", {"mobile": self.case.mobile})
            ).json()
            code = await self.read_code(self.case.mobile)
            answer = await self.call(
                "enter_code",
                "POST",
                "/sessions",
                {"challenge": sent["challenge"], "code": code},
                accept=(201, 422) if self.world.patience else (201,),
            )
            if answer.status_code == 201:
                break
            await asyncio.sleep(CODE_AGAIN_SECONDS)
        self.client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        await self.call("choose_state", "PUT", "/me/home-state", {"state_id": self.case.state_id})

    async def _register(self) -> str:
        case = self.case
        profile = (
            await self.call(
                "register",
                "POST",
                "/profiles",
                {
                    "relation": case.relation,
                    "name": case.name,
                    "gender": case.gender,
                    "birth_date": f"{time.gmtime().tm_year - case.age - 1}-07-01",
                    "birth_date_is_estimated": True,
                    "address": "1 Replay Road",
                    "district": "Replay",
                },
            )
        ).json()
        path = f"/profiles/{profile['id']}"
        if profile["needs_companion"]:
            await self.call(
                "companion",
                "POST",
                f"{path}/representatives",
                {
                    "name": "Savita Kumari",
                    "bond": "parent",
                    "may_collect": False,
                    "may_speak": True,
                },
            )
        await self.call("agree", "PUT", f"{path}/consent")
        questions = (await self.call("danger", "GET", f"{path}/danger-questions")).json()["items"]
        answers = {question["code"]: False for question in questions}
        if case.pregnant and case.gender == "female" and case.age < 54:
            answers["pregnant"] = case.pregnant == "yes"
        await self.call(
            "trouble",
            "PUT",
            f"{path}/intake",
            {
                "complaints": [case.complaint],
                "text": case.text,
                "duration_days": 3,
                "answers": answers,
            },
        )
        return path

    async def _take_token(self, path: str) -> str:
        for _attempt in range(NO_PLACE_TRIES):
            clinics = (await self.call("opds", "GET", f"{path}/clinics")).json()["items"]
            for clinic in clinics:
                if not clinic["is_open"] or clinic["is_full"]:
                    continue
                answer = await self.call(
                    "ask",
                    "POST",
                    f"{path}/consultations",
                    {
                        "clinic_state_id": clinic["state_id"],
                        "clinic_id": clinic["id"],
                        "language": "en" if "en" in clinic["languages"] else clinic["languages"][0],
                    },
                    accept=(201, 409),
                )
                if answer.status_code == 201:
                    made = answer.json()
                    found = f"/consultations/{made['state_id']}/{made['id']}"
                    self.world.requested[made["id"]] = {"path": found}
                    return found
                reason = answer.json()["type"].rpartition(":")[2]
                self.world.refusals.append((reason, clinic["id"]))
            await asyncio.sleep(1)
        self.world.steps.failed("json_patient.ask", "no OPD has a place")
        raise Failed("json_patient: no OPD has a place")

    async def _be_served(self, path: str) -> Any:
        look = asyncio.Event()

        async def ticket() -> tuple[str, str]:
            answer = (await self.call("ticket", "GET", f"{path}/ticket")).json()
            return answer["url"], answer["ticket"]

        def on_look(detail: Any) -> None:
            if detail is None or detail.get("place") is None:
                look.set()

        tag = ""
        state: Any = None
        written = False

        stream = Stream(self, ticket, on_look)
        async with stream, contextlib.AsyncExitStack() as talk:
            while True:
                headers = {"If-None-Match": tag} if tag else {}
                answer = await self.call("look", "GET", path, headers=headers)
                if answer.status_code == 200:
                    tag, state = answer.headers["ETag"], answer.json()
                    if state["status"] == "completed":
                        self.world.completed.add(state["id"])
                        return state
                    if state["status"] in ("cancelled", "abandoned"):
                        self.world.steps.failed("json_patient.look", state["status"])
                        raise Failed(f"json_patient: {state['status']}")
                    if state["token"]["status"] == "called":
                        await self.call("answer_call", "POST", f"{path}/answer", accept=(200, 409))
                        look.set()
                    elif state["status"] == "in_progress" and not written:
                        written = True
                        await talk.enter_async_context(Call(self, f"{API}{path}/seat"))
                        sent = await self.call(
                            "write", "POST", f"{path}/messages", {"text": "Thank you, doctor."}
                        )
                        self.world.messages.add(sent.json()["id"])
                await self._until(look, 60 if stream.live else 5)

    async def _until(self, look: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(look.wait(), seconds)
        look.clear()
        await asyncio.sleep(0.2)
