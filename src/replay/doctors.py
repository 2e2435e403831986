"""A doctor's day: duty, next, notes, prescription, done; through the desk or through JSON."""

import asyncio
import contextlib
import re
import uuid
from typing import Any

from replay import html
from replay.call import Call
from replay.person import Failed, LivePage, Person, Stream, World, needed_form, path_of
from replay.visit import PRESCRIBE, REFER, SEND_ON

CAME_FROM = ("Referred by", "Sent on by")
ADVICE = "Drink enough, rest, and come back if the fever lasts longer than three days."
CONFIRMS = 'value="confirm_consent"'
INBOX = 'form="take-written"'
"""What the desk has when a request waits to be answered in writing."""
SOMEBODY = re.compile(r"first for ")
"""What a line says when this doctor may call somebody; others may wait for another doctor."""
NOBODY = "Nobody is waiting in your lines."
"""What the desk says after Next, or Done with Next, when it called nobody: wait, then press."""

CALLED, SERVING = "called", "serving"

API = "/api/v1/staff"
LINE = "pcm 650 1-0-1 5d after food"


class PageDoctor(Person):
    """A doctor at the desk in a browser."""

    def __init__(self, world: World, login: str, password: str) -> None:
        super().__init__(world, "doctor")
        self.login = login
        self.password = password

    async def begin(self) -> None:
        """Sign in and go on duty; end what an earlier run may have left."""
        await self.sign_in_staff(self.login, self.password, accept=(200, 404))
        answer = await self.step("desk", "GET", "/desk")
        form = needed_form(answer.text, "to")
        await self.step("duty", "POST", form.action, data=form.with_values(to="on"))

    async def end(self) -> None:
        """Go off duty."""
        page = (await self.step("desk", "GET", "/desk")).text
        form = needed_form(page, "to")
        data = form.with_values(to="off", sure="yes")
        await self.step("duty", "POST", form.action, data=data, accept=(200, 409))

    async def serve(self) -> None:
        """Call and serve patients until cancelled. A step that fails starts at the desk again."""
        page = ""
        while True:
            try:
                page = await self._serve_next(page)
            except Failed:
                page = ""

    async def _serve_next(self, page: str) -> str:
        """Serve one patient from the desk as it is open; return the desk afterwards."""
        page = page or (await self.step("desk", "GET", "/desk")).text
        if NOBODY in page and INBOX not in page and not SOMEBODY.search(page):
            page = await self._wait_for_somebody(page)
            if not page:
                return ""
        if "data-call=" in page:
            return await self._hold(page)
        form = html.form_to(page, "/next")
        if form is None:
            await self.begin()
            return ""
        answer = await self.step(
            "next",
            "POST",
            form.action,
            data=form.values,
            accept=(200, 404, 409) if self.world.patience else (200, 404),
        )
        if answer.status_code == 200:
            return await self._hold(answer.text)
        if answer.status_code != 404:
            return ""
        if INBOX not in answer.text:
            return answer.text
        form = needed_form(answer.text, "csrfmiddlewaretoken")
        answer = await self.step(
            "written", "POST", "/desk/written", data=form.values, accept=(200, 404, 409)
        )
        return await self._write(answer.text) if answer.status_code == 200 else ""

    async def _wait_for_somebody(self, page: str) -> str:
        """Return the desk to press on; none when it has to be loaded again."""
        async with LivePage(self, page, "lines") as live:
            while True:
                _part, content = await live.changed()
                if SOMEBODY.search(content):
                    return page
                if INBOX in content:
                    return ""

    async def _hold(self, page: str) -> str:
        """Wait for the answer, talk, write, prescribe, sign, finish; return the desk."""
        if 'data-call="called"' in page:
            page = await self._wait_while("called", page)
            if not page:
                return ""
        call = Call.of_page(self, page)
        if call is None:
            raise Failed("doctor: the desk has no call")
        async with call:
            await call.connected()
            if 'data-call="interrupted"' in page:
                # The service goes on by itself once both are back.
                page = await self._wait_while("interrupted", page)
            return await self._write(page) if page else ""

    async def _write(self, page: str) -> str:
        writing = _Writing(self, page)
        prescribes = PRESCRIBE in page
        wish = next((wish for wish in (REFER, SEND_ON) if wish in page), None)
        if wish and not any(words in page for words in CAME_FROM):
            await writing.keep(history="Seen once.", advice=ADVICE)
            return await writing.send_away("refer" if wish == REFER else "redirect")
        if CONFIRMS in page:
            await writing.confirm_consent()
        await writing.keep(history="Asked about onset and earlier illnesses.", advice=ADVICE)
        await writing.send("How is it today? I am writing you what to do.")
        await writing.diagnose("R50.9" if prescribes else "Z71.9")
        if prescribes:
            await writing.prescribe(LINE)
            await self._sign(writing)
        return await writing.finish("prescription" if prescribes else "advice")

    async def _wait_while(self, state: str, page: str) -> str:
        """Return the desk once the call has left that state; none if it was not taken up."""
        async with LivePage(self, page, "call") as live:
            while True:
                part, content = await live.changed()
                if part.endswith("/desk/call") and f'data-call="{state}"' not in content:
                    page = (await self.step("desk", "GET", "/desk")).text
                    return page if 'data-call="in_progress"' in page else ""

    async def _sign(self, writing: "_Writing") -> None:
        answer = await self.step(
            "check", "POST", writing.form.action, data=writing.form.with_values(do="sign")
        )
        path = path_of(answer)
        for form in html.forms_in(answer.text):
            if form.action in ("", path):
                answer = await self.step("sign", "POST", path, data=form.values)
                break
        else:
            raise Failed("doctor.sign: no form")
        writing.read(answer.text)


class _Writing:
    """The one form of the desk, kept as the page keeps it."""

    def __init__(self, doctor: PageDoctor, page: str) -> None:
        self.doctor = doctor
        self.form = html.Form()
        self.read(page)

    def read(self, page: str) -> None:
        form = html.form_to(page, "/write")
        if form is None:
            raise Failed("doctor: the desk has no form to write in")
        self.form = form

    async def _act(self, name: str, do: str = "", **values: str) -> str:
        """Send the whole form as the page's script does."""
        self.form.values |= values
        data = self.form.with_values(do=do) if do else self.form.values
        answer = await self.doctor.step(
            name, "POST", self.form.action, data=data, headers={"HX-Request": "true"}
        )
        for field in answer.headers.get("X-Taken", "").split():
            self.form.values[field] = ""
        key = re.search(r'id="id_client_key"[^>]*value="([^"]+)"', answer.text)
        if key:
            self.form.values["client_key"] = key.group(1)
        return answer.text

    async def keep(self, **notes: str) -> None:
        await self._act("note", **notes)
        self.doctor.world.noted.add(self.form.action.split("/")[-2])

    async def send(self, text: str) -> None:
        key = self.form.values["client_key"]
        await self._act("write", "send", text=text)
        self.doctor.world.messages.add(key)

    async def confirm_consent(self) -> None:
        await self._act("confirm_consent", "confirm_consent")

    async def diagnose(self, code: str) -> None:
        found = await self._act("find_diagnosis", "find_diagnosis", diagnosis=code)
        listed = re.search(r'value="(add_diagnosis:[^"]+)"', found)
        if listed is None:
            raise Failed(f"doctor: no diagnosis found for {code}")
        await self._act("add_diagnosis", listed.group(1))

    async def prescribe(self, line: str) -> None:
        await self._act("add_line", "add_line", line=line)

    async def send_away(self, do: str) -> str:
        """Refer or send on to the first hub there is; return the desk, to which it leads."""
        found = await self._act("find_opd", "find_opd")
        hubs = re.findall(r'<option value="(hub[^"]+)"', found)
        if not hubs:
            raise Failed("doctor: there is no hub to send on to")
        self.form.values |= {"clinic": hubs[0], "redirect_reason": "For a specialist's opinion"}
        answer = await self.doctor.step(
            do, "POST", self.form.action, data=self.form.with_values(do=do)
        )
        return answer.text

    async def finish(self, outcome: str) -> str:
        """Press Done, next patient; return the desk, to which it leads."""
        answer = await self.doctor.step(
            "done",
            "POST",
            self.form.action,
            data=self.form.with_values(do="done_next", outcome=outcome),
            accept=(200, 409) if self.doctor.world.patience else (200,),
        )
        return answer.text if answer.status_code == 200 else ""


class JsonDoctor(Person):
    """A doctor with an app."""

    def __init__(self, world: World, login: str, password: str) -> None:
        super().__init__(world, "json_doctor")
        self.login = login
        self.password = password

    async def call(
        self,
        name: str,
        method: str,
        path: str,
        body: Any = None,
        accept: tuple[int, ...] = (200, 201, 204),
        **request: Any,
    ) -> Any:
        """Ask the API."""
        headers = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        return await self.step(
            name,
            method,
            f"{API}{path}",
            json=body,
            headers=headers,
            accept=accept,
            **request,
        )

    async def begin(self) -> None:
        """Sign in and go on duty."""
        answer = await self.call(
            "sign_in", "POST", "/sessions", {"login": self.login, "password": self.password}
        )
        self.client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        await self.call("duty", "PUT", "/duty", {"status": "on"})

    async def end(self) -> None:
        """Go off duty."""
        await self.call("duty", "PUT", "/duty", {"status": "off"}, accept=(200, 409))

    async def serve(self) -> None:
        """Call and serve patients until cancelled."""
        while True:
            with contextlib.suppress(Failed):
                await self._serve_next()

    async def _serve_next(self) -> None:
        desk = (await self.call("desk", "GET", "/desk")).json()
        live = desk["live"]
        if live is None:
            answer = await self.call("next", "POST", "/next", accept=(201, 404))
            if answer.status_code == 404:
                if desk["inbox"]["waiting"]:
                    await self._answer_written()
                else:
                    await self._look_until(self._somebody_waits)
                return
            live = answer.json()
        path = f"/consultations/{live['state_id']}/{live['id']}"
        await self._look_until(lambda: self._has_left(path, "token_status", CALLED))
        case = (await self.call("case", "GET", path)).json()
        if case["token_status"] != SERVING:
            return
        async with Call(self, f"{API}{path}/seat") as talk:
            await talk.connected()
            if case["status"] == "interrupted":
                await self._look_until(lambda: self._has_left(path, "status", "interrupted"))
            await self._write(path, case)

    async def _answer_written(self) -> None:
        answer = await self.call("written", "POST", "/written", accept=(201, 404, 409))
        if answer.status_code == 201:
            taken = answer.json()
            path = f"/consultations/{taken['state_id']}/{taken['id']}"
            await self._write(path, (await self.call("case", "GET", path)).json())

    async def _write(self, path: str, case: Any) -> None:
        prescribes = PRESCRIBE in case["intake"]["text"]
        code = "R50.9" if prescribes else "Z71.9"
        found = (await self.call("find_diagnosis", "GET", "/diagnoses", params={"q": code})).json()
        sent = await self.call("write", "POST", f"{path}/messages", {"text": "How is it today?"})
        self.world.messages.add(sent.json()["id"])
        await self.call(
            "note",
            "PUT",
            f"{path}/note",
            {"advice": ADVICE, "diagnoses": [found["items"][0]["code"]]},
        )
        self.world.noted.add(path.rsplit("/", 1)[1])
        if prescribes:
            read = (await self.call("shorthand", "GET", "/shorthand", params={"q": LINE})).json()
            await self.call("add_item", "POST", f"{path}/items", read["item"])
            await self.call("sign", "POST", f"{path}/sign")
        await self.call(
            "done",
            "POST",
            f"{path}/conclude",
            {"outcome": "prescription" if prescribes else "advice"},
            accept=(204, 409) if self.world.patience else (204,),
        )

    async def _somebody_waits(self) -> bool:
        desk = (await self.call("desk", "GET", "/desk")).json()
        return bool(desk["inbox"]["waiting"] or any(line["head_since"] for line in desk["lines"]))

    async def _has_left(self, path: str, name: str, value: str) -> bool:
        case = (await self.call("case", "GET", path)).json()
        return bool(case[name] != value)

    async def _look_until(self, decided: Any) -> None:
        look = asyncio.Event()

        async def ticket() -> tuple[str, str]:
            answer = (await self.call("ticket", "GET", "/ticket")).json()
            return answer["url"], answer["ticket"]

        stream = Stream(self, ticket, lambda _detail: look.set())
        async with stream:
            while not await decided():
                await asyncio.sleep(0.5)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(60 if stream.live else 3):
                        await look.wait()
                look.clear()
