"""The staff of a spoke bring hubs' doctors to the patients who sit there."""

import asyncio
import io

from PIL import Image

from replay import html
from replay.person import Failed, World, needed_form, path_of
from replay.visit import PRESCRIBE, REFER, SEND_ON, Case, PageVisit, refusal_in

LATER_SHARE, NAMED_SHARE = 0.15, 0.15
"""Of the requests: in writing, and to a doctor by name."""
REFERRED_SHARE, SENT_ON_SHARE = 0.1, 0.05
NO_PLACE_TRIES = 5


class SpokeDesk(PageVisit):
    """A tablet at a spoke with its staff, for one patient after the other."""

    def __init__(self, world: World, login: str, password: str) -> None:
        super().__init__(world, "spoke")
        self.login = login
        self.password = password

    async def begin(self) -> None:
        """Sign in."""
        await self.sign_in_staff(self.login, self.password)

    async def consult(self, case: Case) -> None:
        """Go the whole way with a patient. Raises Failed."""
        self.case = case
        chance = self.world.random.random()
        if PRESCRIBE in case.text and chance < REFERRED_SHARE + SENT_ON_SHARE:
            wish = REFER if chance < REFERRED_SHARE else SEND_ON
            self.case = case.wishing(f"{case.text} {wish}")
        address, page = await self._ask(await self._register())
        page = await self._show_presence(address, page)
        while True:
            page = await self._be_served(address, page)
            goes_on = html.attribute(page, "data-moved-to") or html.attribute(page, "data-goes-on")
            if not goes_on:
                break
            address = goes_on
            self._asked(address)
            page = (await self.step("goes_on", "GET", address)).text
        if await self._print(page):
            await self._hand_out(address, page)

    async def _register(self) -> str:
        """Look for the patient, who is not known; register, tell, measure; return the hubs."""
        case = self.case
        await self.step("desk", "GET", "/spoke")
        page = (await self.step("find", "GET", "/spoke/find")).text
        data = needed_form(page, "sought").with_values(sought=case.mobile)
        await self.step("search", "POST", "/spoke/find", data=data)
        page = (await self.step("new", "GET", "/spoke/register")).text
        answer = await self.step(
            "register",
            "POST",
            "/spoke/register",
            data=needed_form(page, "relation").with_values(
                relation=case.relation,
                name=f"{case.name} {case.mobile[-6:]}",
                gender=case.gender,
                age=str(case.age),
                age_unit="years",
                mobile=case.mobile,
                address="1 Replay Road",
            ),
        )
        answer = await self._tell(answer)
        path = path_of(answer)
        data = needed_form(answer.text, "body_temperature").with_values(
            body_temperature="38.2", heart_rate="88"
        )
        page = (await self.step("measure", "POST", path, data=data)).text
        for companion in html.links(page, r"/people/[0-9a-f-]+/companion"):
            form = needed_form((await self.step("who", "GET", companion)).text, "bond")
            adult = form.with_values(name="Savita Kumari", bond="parent")
            answer = await self.step("companion", "POST", companion, data=adult)
            hubs = path.replace("/measure", "/hubs")
            page = (await self.step("hubs", "GET", hubs)).text
        return page

    async def _ask(self, page: str) -> tuple[str, str]:
        for _attempt in range(NO_PLACE_TRIES):
            for address in html.links(page, r"/spoke/patients/[0-9a-f-]+/hubs/\d+/[0-9a-f-]+"):
                form = needed_form((await self.step("hub", "GET", address)).text, "request_key")
                answer = await self.step(
                    "ask",
                    "POST",
                    address,
                    data=form.with_values(doctor=self._whom(form.choices["doctor"])),
                    accept=(200, 409),
                )
                if answer.status_code == 200:
                    path = path_of(answer).removesuffix("/presence").removeprefix("/spoke")
                    self._asked(path)
                    return path, answer.text
                self.world.refusals.append((refusal_in(answer.text), address.rsplit("/", 1)[1]))
            await asyncio.sleep(1)
        self.world.steps.failed("spoke.ask", "no hub has a place")
        raise Failed("spoke: no hub has a place")

    def _asked(self, path: str) -> None:
        self.world.requested[path.rsplit("/", 1)[1]] = {"path": path}

    def _whom(self, choices: list[str]) -> str:
        """Choose the pool, a doctor on duty by name, or an answer in writing."""
        pool, *named, later = choices
        chance = self.world.random.random()
        if chance < LATER_SHARE:
            return later
        return (
            self.world.random.choice(named)
            if named and chance < LATER_SHARE + NAMED_SHARE
            else pool
        )

    async def _show_presence(self, address: str, page: str) -> str:
        """Show that the patient is here, where that is asked: by a photo or by a code."""
        form = html.form_with(page, "do")
        if form is None:
            return page
        path = f"/spoke{address}/presence"
        if "photo" in form.choices["do"] and self.world.random.random() < 0.5:
            answer = await self.step(
                "photo",
                "POST",
                path,
                data=form.with_values(do="photo"),
                files={"photo": ("here.jpg", _photo(), "image/jpeg")},
            )
            return answer.text
        answer = await self.step("send_code", "POST", path, data=form.with_values(do="send"))
        code = await self.read_code(self.case.mobile, "presence_code")
        form = needed_form(answer.text, "code")
        answer = await self.step("code", "POST", path, data=form.with_values(do="code", code=code))
        return answer.text

    async def _hand_out(self, address: str, page: str) -> None:
        [path] = html.links(page, r"/spoke/medicines/[^\"]+")
        page = (await self.step("medicines", "GET", path)).text
        form = next(one for one in html.forms_in(page) if "full" in str(one.choices))
        await self.step("hand_out", "POST", path, data=form.values)
        self.world.handed_out.add(address.rsplit("/", 1)[1])


def _photo() -> bytes:
    """Return a picture as a tablet sends it, 40 KB or so."""
    picture = io.BytesIO()
    Image.effect_noise((480, 360), 40).convert("RGB").save(picture, "JPEG", quality=70)
    return picture.getvalue()
