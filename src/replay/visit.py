"""What patients at home and the staff of a spoke do alike: tell, wait, talk, read."""

import re
from dataclasses import dataclass, replace
from typing import Any

import httpx

from replay import html
from replay.call import Call, Talk
from replay.person import Failed, LivePage, Person, World, needed_form, path_of

PRESCRIBE = "Please write me a medicine."
"""What a patient writes to whom the doctor here prescribes; others get advice."""

REFER = "Please ask a specialist."
"""What is written at a spoke for whom the first doctor refers to another one."""

ENDED_SILENTLY = "ended without a doctor's word"

SEND_ON = "This is for another speciality."
"""What is written at a spoke for whom the first doctor sends on before anything else."""


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

    def wishing(self, text: str) -> "Case":
        """Return the same patient, who tells it in other words."""
        return replace(self, text=text)


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


class PageVisit(Person):
    """A consultation through the pages, of a patient at home or beside the staff of a spoke."""

    case: Case

    async def _tell(self, answer: httpx.Response) -> httpx.Response:
        """From the page of consent on, say what the trouble is; return the page it leads to."""
        case = self.case
        path = path_of(answer)
        answer = await self.step("agree", "POST", path, data=_form_at(answer.text, path).values)
        path = path_of(answer)
        form = needed_form(answer.text, "sign")
        answer = await self.step("danger", "POST", path, data=form.with_values(sign="none"))
        path = path_of(answer)
        form = needed_form(answer.text, "complaints")
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
            form = needed_form(answer.text, "bond")
            adult = form.with_values(name="Savita Kumari", bond="parent")
            answer = await self.step("companion", "POST", path_of(answer), data=adult)
        return answer

    async def _be_served(self, address: str, page: str) -> str:
        """Wait, answer the call, talk, until the doctor is done; return the last page."""
        consultation_id = address.rsplit("/", 1)[1]
        written = False
        async with LivePage(self, page, "waiting") as live, Talk() as talk:
            status = page
            while True:
                if "data-done" in status:
                    self.world.completed.add(consultation_id)
                    return status
                if "data-call-now" in status:
                    form = html.form_to(status, "/answer") or html.form_to(status, "/resume")
                    if form is not None:
                        await talk.leave()
                        answer = await self.step(
                            "answer_call", "POST", form.action, data=form.values, accept=(200, 409)
                        )
                        status = answer.text
                        continue
                elif "doctor__name" in status and not talk.is_held:
                    if not html.gateway_of(status):
                        # Only a part was fetched, as after an answer that was lost.
                        status = (await self.step("consultation", "GET", address)).text
                    await talk.hold(Call.of_page(self, status))
                    if not written:
                        written = True
                        await self._write(address, page)
                elif "data-moved-to" in status:
                    return status
                elif "data-over" in status or _is_over(status):
                    self.world.steps.failed(
                        f"{self.prefix}.waiting", "ended without a doctor's word"
                    )
                    raise Failed(f"{self.prefix}: the consultation ended without a doctor's word")
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

    async def _print(self, page: str) -> bool:
        """Fetch the prescription, if the page has one."""
        printed = html.links(page, r"/consultations/[^\"]*prescription\.pdf[^\"]*")
        if printed:
            number = re.search(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b", _text_of(page))
            if number is None:
                raise Failed(f"{self.prefix}.prescription: no number")
            self.world.prescriptions.add(number.group())
            answer = await self.step("prescription", "GET", printed[0])
            if not answer.content.startswith(b"%PDF"):
                raise Failed(f"{self.prefix}.prescription: not a PDF")
        return bool(printed)


def _text_of(page: str) -> str:
    """Return the text without the tags: an id in an address can look like a number."""
    return re.sub(r"<[^>]*>", " ", page)


def _form_at(page: str, path: str) -> html.Form:
    """Return the page's own form: the one without buttons of its own that goes to the page."""
    for form in html.forms_in(page):
        if form.action in ("", path):
            return form
    raise Failed(f"no form on {path}")


def _is_over(status: str) -> bool:
    return re.search(r'href="/people/[0-9a-f-]+/consent"', status) is not None


def refusal_in(page: str) -> str:
    """Return the name of the error that a page words."""
    for words, reason in (
        ("All places for today are taken", "LineFull"),
        ("The waiting room is full", "WaitingRoomFull"),
        ("This OPD is closed", "ClinicClosed"),
    ):
        if words in page:
            return reason
    return "other"
