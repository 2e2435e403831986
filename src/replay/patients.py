"""A patient's consultation: through the pages' own forms, or through JSON."""

import asyncio
import contextlib
import time
import uuid
from typing import Any

import httpx

from replay import html
from replay.call import Call, Talk
from replay.person import Failed, Person, Stream, World, needed_form, path_of
from replay.visit import Case, PageVisit, refusal_in

CODE_AGAIN_SECONDS = 31
NO_PLACE_TRIES = 5
API = "/api/v1"


class PagePatient(PageVisit):
    """A patient with a browser."""

    def __init__(self, world: World, case: Case) -> None:
        super().__init__(world, "patient")
        self.case = case

    async def consult(self) -> None:
        """Go the whole way. Raises Failed."""
        page = await self._register(await self._sign_in())
        address, page = await self._take_token(page)
        page = await self._be_served(address, page)
        await self._after(address, page)

    async def _sign_in(self) -> httpx.Response:
        """Sign in; return the page that it leads to."""
        await self.step("landing", "GET", "/")
        while True:
            page = (await self.step("sign_in", "GET", "/sign-in")).text
            form = needed_form(page, "mobile")
            answer = await self.step(
                "ask_code",
                "POST",
                form.action or "/sign-in",
                data=form.with_values(mobile=self.case.mobile),
            )
            form = needed_form(answer.text, "code")
            code = await self.read_code(self.case.mobile)
            answer = await self.step(
                "enter_code",
                "POST",
                form.action or "/sign-in/code",
                data=form.with_values(code=code),
                accept=(200, 422) if self.world.patience else (200,),
            )
            if answer.status_code == 200:
                return answer
            # The first sending had its effect, but its answer with the session was lost.
            await asyncio.sleep(CODE_AGAIN_SECONDS)

    async def _register(self, answer: httpx.Response) -> str:
        if path_of(answer) == "/start":
            form = needed_form(answer.text, "state")
            answer = await self.step(
                "choose_state",
                "POST",
                form.action or "/start",
                data=form.with_values(state=str(self.case.state_id)),
            )
        form = needed_form(answer.text, "relation")
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
        answer = await self._tell(answer)
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
                self.world.refusals.append((refusal_in(answer.text), address.rsplit("/", 1)[1]))
            await asyncio.sleep(1)
            if opds_address:
                page = (await self.step("opds", "GET", opds_address)).text
        self.world.steps.failed("patient.ask", "no OPD has a place")
        raise Failed("patient: no OPD has a place")

    async def _after(self, address: str, page: str) -> None:
        await self._print(page)
        form = needed_form(page, "rating")
        await self.step("rate", "POST", form.action, data=form.with_values(rating="5", comment=""))
        self.world.rated.add(address.rsplit("/", 1)[1])


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
        async with stream, Talk() as talk:
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
                        await talk.leave()
                        await self.call("answer_call", "POST", f"{path}/answer", accept=(200, 409))
                        look.set()
                    elif state["status"] == "in_progress" and not talk.is_held:
                        await talk.hold(Call(self, f"{API}{path}/seat"))
                        if written:
                            continue
                        written = True
                        sent = await self.call(
                            "write", "POST", f"{path}/messages", {"text": "Thank you, doctor."}
                        )
                        self.world.messages.add(sent.json()["id"])
                await self._until(look, 60 if stream.live else 5)

    async def _until(self, look: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await look.wait()
        look.clear()
        await asyncio.sleep(0.2)
