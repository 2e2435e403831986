"""Who is with the patient stands on record: nobody is named there by a default."""

import pytest

from sanjeevani.web.patient.forms import AskForm

MOTHER, UNCLE = ("1", "Sita Devi"), ("2", "Ravi Kumar")


@pytest.mark.parametrize(
    ("companions", "chosen"), [([MOTHER], "1"), ([MOTHER, UNCLE], "")], ids=["one", "two"]
)
def test_of_several_adults_none_is_chosen_beforehand(
    companions: list[tuple[str, str]], chosen: str
) -> None:
    form = AskForm(["hi", "en"], "hi", companions)
    assert form["companion"].value() == chosen
    sent = AskForm(["hi", "en"], "hi", companions, {"language": "hi"})
    assert sent.errors["companion"] == ["Choose the adult who is with the patient."]
