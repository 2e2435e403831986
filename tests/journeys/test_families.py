"""A mother with two children under one mobile, and an old-age home with twenty residents."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.journeys.people import Doctor, Patient, photo

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]

NewPatient = Callable[..., Patient]
NewDoctor = Callable[..., Doctor]
Look = Callable[[Page, str], None]

UTTARAKHAND = 5
MOST_TAPS, MOST_TAPS_OF_A_NEWCOMER = 7, 12


COUNT_TAPS = """
() => {
  const name = "taps";
  addEventListener("click", (event) => {
    if (event.isTrusted) localStorage.setItem(name, Number(localStorage.getItem(name)) + 1);
  }, true);
}
"""


def count_taps(page: Page) -> None:
    """Count every tap from now on, on all pages."""
    page.context.add_init_script(f"({COUNT_TAPS})()")


def taps(page: Page) -> int:
    """Return how often something was tapped since the last time, and begin anew."""
    counted = page.evaluate("() => Number(localStorage.getItem('taps'))")
    page.evaluate("() => localStorage.removeItem('taps')")
    return int(counted)


def choose(page: Page, name: str) -> None:
    """Say who needs the doctor."""
    page.locator(".choices .choice:not(.choice--live) a").filter(has_text=name).first.click()


def test_a_mother_with_two_children(
    new_patient: NewPatient, new_doctor: NewDoctor, look: Look
) -> None:
    mother = new_patient()
    page = mother.page
    count_taps(page)
    page.goto("/")
    page.locator("main a.govuk-button").first.click()
    page.locator("input[name=mobile]").fill(mother.mobile)
    mother.submit()
    page.locator("input[name=code]").fill(mother.code())
    mother.submit()
    mother.live_in(UTTARAKHAND)
    page.locator("input[name=name]").fill("Lakshmi Devi")
    page.locator("input[name=gender][value=female]").check()
    page.locator("input[name=age]").fill("34")
    page.locator("input[name=address]").fill("12, Temple Road")
    page.locator("input[name=district]").fill("Dehradun")
    mother.submit()
    mother.agree()
    mother.no_danger()
    page.locator("input[name=complaints][value=fever]").check()
    mother.submit()
    mother.choose_first_opd()
    mother.take_token()
    assert taps(page) <= MOST_TAPS_OF_A_NEWCOMER
    own = page.url

    for name, gender, age in (("Ravi", "male", 6), ("Meena", "female", 3)):
        page.goto("/people/add")
        mother.describe(name, gender=gender, age=age, relation="child")
        mother.agree()
    page.goto("/people")
    look(page, "family-01-people")
    page.goto("/")
    taps(page)
    page.locator("main a.govuk-button").first.click()
    choose(page, "Meena")
    mother.no_danger()
    page.locator("input[name=complaints][value=fever]").check()
    mother.submit()
    mother.choose_first_opd()
    expect(page.locator(".with-whom").filter(has_text="Lakshmi Devi")).to_be_visible()
    look(page, "family-02-ask")
    mother.take_token()
    assert taps(page) <= MOST_TAPS

    sent = photo("rash.jpg")
    page.locator("input[name=files]").set_input_files([sent, photo("other side.jpg")])
    expect(page.locator(".paper")).to_have_count(2)
    liar = {"name": "report.jpg", "mimeType": "image/jpeg", "buffer": b"MZ nothing to see"}
    page.locator("input[name=files]").set_input_files([FilePayload(**liar)])  # type: ignore[typeddict-item]
    expect(page.locator("[data-papers-state]")).to_contain_text("Choose a photo (JPEG or PNG)")
    page.locator("[data-paper-remove] button").last.click()
    expect(page.locator(".paper")).to_have_count(1)
    look(page, "family-03-waiting")
    meena = page.url
    page.goto(f"{own}/cancel")
    mother.submit()
    page.goto(meena)

    doctor = new_doctor("uttarakhand.doctor5")
    doctor.go_on_duty()
    doctor.next()
    patient = doctor.page.locator(".desk__patient")
    expect(patient).to_contain_text("Meena")
    expect(patient).to_contain_text("Lakshmi Devi")
    picture = patient.locator(".desk-papers img")
    expect(picture).to_have_count(1)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 240
    look(doctor.page, "family-04-desk")
    mother.answer()
    doctor.expect_in_progress()
    page.reload()
    expect(page.locator(".paper")).to_have_count(1)
    expect(page.locator("[data-paper-remove]")).to_have_count(0)
    doctor.note(advice="Keep the skin dry.")
    doctor.finish("advice")
    page.goto("/people")
    page.get_by_role("link", name="Meena: details and consent").click()
    expect(page.locator(".choices .choice")).to_have_count(1)
    look(page, "family-05-person")


def test_an_old_age_home_with_twenty_residents(new_patient: NewPatient, look: Look) -> None:
    """Without scripts: what is typed row by row arrives, and everybody is found."""
    warden = new_patient(language="hi", javascript=False)
    page = warden.page
    warden.sign_in()
    warden.live_in(UTTARAKHAND)
    page.locator("a[href='/institution']").click()
    page.locator("input[name=name]").fill("शांति निकेतन वृद्धाश्रम")
    page.locator("input[name=kind][value=old_age_home]").check()
    page.locator("input[name=address]").fill("नहर रोड")
    page.locator("input[name=district]").fill("देहरादून")
    page.locator("input[name=area][value=rural]").check()
    page.locator("input[name=responsible_name]").fill("सिस्टर टेरेसा")
    page.locator("input[name=responsible_role]").fill("वार्डन")
    warden.submit()
    left = list(range(1, 21))
    while left:
        rows = page.locator("fieldset.resident").count()
        sitting, left = left[:rows], left[rows:]
        for row, number in enumerate(sitting):
            page.locator(f"input[name=name_{row}]").fill(f"कमला बाई {'अआइईउऊएऐओऔ'[number % 10]}")
            page.locator(f"select[name=gender_{row}]").select_option("female")
            page.locator(f"input[name=age_{row}]").fill(str(60 + number))
            page.locator(f"input[name=room_{row}]").fill(str(number))
        button = "button[name=then]" if left else "main button.govuk-button:not([name])"
        page.locator(button).first.click()
    expect(page.locator(".choices--many .choice")).to_have_count(20)
    page.locator("input[name=q]").fill("17")
    page.locator(".search button").click()
    expect(page.locator(".choices--many .choice")).to_have_count(1)
    page.locator(".choices--many .choice__body a").click()
    warden.agree()
    warden.no_danger()
    warden.complain("fever")
    warden.choose_first_opd()
    assert warden.take_token() >= 1
    page.goto("/people")
    expect(page.locator(".choice--live")).to_have_count(1)
