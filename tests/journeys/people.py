"""What people do at the screens, by the words they read there."""

import io
import itertools
import os
import re
import time
from typing import Self

import httpx
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

_mobiles = itertools.count(9_810_000_000 + (os.getpid() % 10_000) * 10_000 + 100)


def next_mobile() -> str:
    """Return a mobile number that nobody has."""
    return str(next(_mobiles))


class Patient:
    """Somebody with a phone."""

    home = "/people"
    """Where everything begins, and what is open stands."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.mobile = next_mobile()

    def sign_in(self) -> None:
        """Sign in by mobile and the code from the inbox."""
        self.page.goto("/sign-in")
        self.page.locator("input[name=mobile]").fill(self.mobile)
        self.submit()
        self.page.locator("input[name=code]").fill(self.code())
        self.submit()

    def code(self) -> str:
        """Wait for the newest code sent to this mobile."""
        for _attempt in range(100):
            answer = httpx.get(f"{self.url}/inbox.json", params={"mobile": self.mobile})
            for message in answer.json()["messages"]:
                if found := re.search(r"\b\d{6}\b", message["text"]):
                    return found.group()
            time.sleep(0.05)
        raise AssertionError("no code arrived")

    def submit(self) -> None:
        """Press the page's first big button that is not secondary, once its scripts listen."""
        self.page.wait_for_load_state()
        self.press(
            self.page.locator("main button.govuk-button:not(.govuk-button--secondary)").first
        )

    def press(self, button: Locator) -> None:
        """Press what leads on to the next page."""
        button.click()

    def live_in(self, state_id: int) -> None:
        """Choose the state, once."""
        self.page.locator(f"button[name=state][value='{state_id}']").click()

    def describe(
        self, name: str, *, gender: str = "female", age: int = 34, relation: str = "self"
    ) -> None:
        """Fill in the form of a person in care."""
        page = self.page
        page.locator(f"input[name=relation][value={relation}]").check()
        page.locator("input[name=name]").fill(name)
        page.locator(f"input[name=gender][value={gender}]").check()
        page.locator("input[name=age]").fill(str(age))
        page.locator("input[name=address]").fill("12, Temple Road")
        page.locator("input[name=district]").fill("Mysuru")
        self.submit()

    def agree(self) -> None:
        """Accept the notice."""
        self.submit()

    def no_danger(self) -> None:
        """Say that none of the danger signs is there."""
        self.press(self.page.locator("button[name=sign][value=none]"))

    def complain(self, *complaints: str, text: str = "", days: int = 2) -> None:
        """Say what the trouble is."""
        page = self.page
        for complaint in complaints:
            page.locator(f"input[name=complaints][value={complaint}]").check()
        if text:
            page.locator("textarea[name=text]").fill(text)
        page.locator("input[name=duration]").fill(str(days))
        self.submit()

    def choose_first_opd(self) -> None:
        """Take the one recommended first."""
        self.page.locator(".choice--first a, .choices a").first.click()

    def choose_opd(self, name: str) -> None:
        """Take the one of this name."""
        self.page.locator(".choices").get_by_role("link", name=name).first.click()

    def take_token(self) -> int:
        """Ask for the token; return its number."""
        self.submit()
        return self.token_number()

    def token_number(self) -> int:
        """Read the number in very large figures."""
        return int(self.page.locator(".token__number").first.inner_text())

    def place(self) -> int:
        """Read the place in line."""
        return int(self.page.locator("[data-live-bind=place]").first.inner_text())

    def expect_place(self, place: int) -> None:
        """Wait until the page itself says this place."""
        expect(self.page.locator("[data-live-bind=place]").first).to_have_text(str(place))

    def write(self, text: str) -> None:
        """Send a message."""
        self.page.locator("#write [name=text]").fill(text)
        self.page.locator("#write button[type=submit]").click()

    def answer_button(self) -> Locator:
        """The big button of CALL NOW."""
        return self.page.locator("form[action$='/answer'] button")

    def answer(self) -> None:
        """Press CALL NOW."""
        self.answer_button().click()
        expect(self.answer_button()).to_have_count(0)

    def give_tokens_back(self) -> None:
        """Leave every line that somebody in this one's care still waits in."""
        self.page.goto(self.home)
        links = self.page.locator(".choice--live a").all()
        for address in [link.get_attribute("href") for link in links]:
            self.page.goto(f"{address}/cancel")
            if self.page.locator("main .govuk-button--warning").count():
                self.submit()

    def download(self, link: str) -> bytes:
        """Fetch what a link of the page leads to, signed in as this person."""
        address = self.page.locator(link).first.get_attribute("href")
        assert address
        answer = self.page.request.get(address)
        assert answer.ok
        return answer.body()

    def rate(self, faces: int) -> None:
        """Give feedback in two taps."""
        self.page.locator(f"input[name=rating][value='{faces}']").check()
        self.page.locator("form[action$='/feedback'] button").click()


def sign_in_staff(page: Page, login: str, password: str) -> None:
    """Sign in with user name and password."""
    page.goto("/staff/sign-in")
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill(password)
    page.locator("main button.govuk-button").first.click()


class HealthWorker(Patient):
    """Somebody at a spoke's tablet, who does on it what patients do at home.

    Also the doctor of a spoke, who signs in at the own desk first.
    """

    home = "/spoke"

    def __init__(self, page: Page, url: str, login: str, password: str) -> None:
        super().__init__(page, url)
        sign_in_staff(page, login, password)
        expect(page).to_have_url(re.compile(r"/(spoke|desk)$"))

    def press(self, button: Locator) -> None:
        """Press, until the tablet goes on or says that it keeps what was entered."""
        self.page.evaluate("document.documentElement.dataset.pressed = ''")
        button.click()
        done = self.page.locator("html:not([data-pressed]), [data-outbox-told]")
        done.first.wait_for(state="attached")

    def register(self, name: str, *, age: str, mobile: str = "") -> None:
        """Register the patient who sits here."""
        page = self.page
        page.goto("/spoke/register")
        page.locator("input[name=name]").fill(name)
        page.locator("input[name=gender][value=female]").check()
        page.locator("input[name=age]").fill(age)
        page.locator("input[name=mobile]").fill(mobile)
        page.locator("input[name=address]").fill("Near the well")
        self.submit()

    def show_patient(self) -> None:
        """Take a photo that shows that the patient sits here."""
        self.page.locator("input[name=photo]").set_input_files([photo("here.jpg")])
        expect(self.page.locator(".token")).to_be_visible()


class Doctor:
    """Somebody at a desk."""

    def __init__(self, page: Page, login: str, password: str) -> None:
        self.page = page
        self.password = password
        sign_in_staff(page, login, password)
        page.goto("/desk")

    @classmethod
    def signed_in(cls, page: Page) -> Self:
        """Return whoever is signed in on a page as a doctor at the desk."""
        doctor = cls.__new__(cls)
        doctor.page = page
        page.goto("/desk")
        return doctor

    def go_on_duty(self) -> None:
        """Begin to serve."""
        self.page.locator("button[name=to][value=on]").click()

    def next(self) -> None:
        """Call the next patient, by the one key."""
        expect(self.page.locator("button.next")).to_be_visible()
        self.page.locator("h1").first.focus()
        self.page.keyboard.press("n")
        expect(self.page.locator("[data-call=called]")).to_be_visible()
        # Keys are heard once the page's scripts have run.
        self.page.wait_for_load_state("domcontentloaded")

    def meet(self, patient: Patient) -> None:
        """Call the next patient, who answers."""
        self.next()
        patient.answer()
        self.expect_in_progress()

    def expect_in_progress(self) -> None:
        """Wait until the patient has answered."""
        expect(self.page.locator("[data-call=in_progress]")).to_be_visible()

    def write(self, text: str) -> None:
        """Send a message to the patient."""
        self.page.locator("[name=text]").fill(text)
        self.page.locator("#send").click()

    def note(self, *, history: str = "", findings: str = "", advice: str = "") -> None:
        """Write into the note."""
        for name, text in (("history", history), ("findings", findings), ("advice", advice)):
            self.page.locator(f"textarea[name={name}]").fill(text)

    def diagnose(self, words: str, code: str) -> None:
        """Search a diagnosis and choose it."""
        self.page.locator("[name=diagnosis]").fill(words)
        self.page.locator("#find-diagnosis").click()
        self.page.locator(f"button[value='add_diagnosis:{code}']").click()
        expect(self.page.locator(f"button[value='remove_diagnosis:{code}']")).to_be_visible()

    def prescribe(self, line: str) -> None:
        """Add a medicine as doctors type it."""
        before = self.page.locator("li.medicine").count()
        self.page.locator("[name=line]").fill(line)
        self.page.locator("[name=line]").press("Enter")
        expect(self.page.locator("li.medicine")).to_have_count(before + 1)

    def check_prescription(self) -> None:
        """Look at what will stand on it."""
        self.page.locator("button[name=do][value=sign]").click()

    def hear_consent(self) -> None:
        """Let a patient at a spoke say that they agree; at home nobody is asked."""
        confirms = self.page.locator("#confirm-consent")
        if confirms.count():
            confirms.click()
            expect(confirms).to_have_count(0)

    def sign(self) -> None:
        """Sign what was checked."""
        self.page.locator("main button[data-key=s]:not([name])").click()
        expect(self.page.locator(".signed")).to_be_visible()

    def finish_what_is_open(self) -> None:
        """Leave nobody at the desk."""
        self.page.goto("/desk")
        if self.page.locator("[data-call=in_progress], [data-call=interrupted]").count():
            if self.page.locator(".signed").count():
                self.finish("prescription")
            else:
                self.note(advice="Rest and drink enough")
                self.finish("advice")

    def finish(self, outcome: str) -> None:
        """Say what came of it, and be free."""
        self.hear_consent()
        self.page.locator(f"input[name=outcome][value={outcome}]").check()
        self.page.locator("button[name=do][value=done]").click()
        expect(self.page.locator("button.next")).to_be_visible()


class Administrator:
    """Somebody who sets the service up, by what the screens say. Counts the presses."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.presses = 0

    def sign_in(self, login: str, password: str) -> None:
        """Sign in with user name and password."""
        self.page.goto("/staff/sign-in")
        self.fill({"login": login, "password": password})
        self.press("Sign in")

    def accept(self, mobile: str, password: str) -> None:
        """Open the link that came by SMS and choose a password."""
        self.page.goto(self.link_to(mobile))
        self.fill({"password": password})
        self.press("Save and sign in")

    def link_to(self, mobile: str) -> str:
        """Wait for the newest invitation sent to a mobile."""
        for _attempt in range(200):
            answer = httpx.get(f"{self.url}/inbox.json", params={"mobile": mobile})
            for message in answer.json()["messages"]:
                if found := re.search(r"/staff/welcome/\S+", message["text"]):
                    return found.group()
            time.sleep(0.05)
        raise AssertionError("no invitation arrived")

    def press(self, words: str, *, first: bool = False) -> None:
        """Press the link or button of these words."""
        scope = self.page.locator("body")
        found = scope.get_by_role("button", name=words, exact=True).or_(
            scope.get_by_role("link", name=words, exact=True)
        )
        self.presses += 1
        (found.first if first else found).click()

    def fill(self, values: dict[str, str]) -> None:
        """Fill in the fields of a form: text, choices of a list, radio buttons."""
        for name, value in values.items():
            field = self.page.locator(f"main [name={name}]:not([type=hidden])")
            kind = field.first.get_attribute("type")
            if field.first.evaluate("element => element.tagName") == "SELECT":
                field.select_option(value)
            elif kind in ("radio", "checkbox"):
                self.page.locator(f"main [name={name}][value='{value}']").check()
            else:
                field.fill(value)


def photo(name: str) -> FilePayload:
    """A photo as large as a phone's camera takes it."""
    noise = Image.effect_noise((2400, 1800), 60).convert("RGB")
    written = io.BytesIO()
    noise.save(written, "JPEG", quality=92)
    return {"name": name, "mimeType": "image/jpeg", "buffer": written.getvalue()}


def answered_late(route: Route) -> None:
    """Let a slow link bring the hint of what was done before its answer."""
    answer = route.fetch(max_redirects=0)
    time.sleep(3)
    route.fulfill(response=answer)
