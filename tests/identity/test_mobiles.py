"""Mobile numbers as people type them."""

import pytest

from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import parse_mobile


@pytest.mark.parametrize(
    "typed",
    [
        "9876543210",
        "+919876543210",
        "+91 98765 43210",
        "0091 98765-43210",
        "09876543210",
        "919876543210",
        " (+91) 98765.43210 ",
        "९८७६५४३२१०",
        "৯৮৭৬৫৪৩২১০",
        "+९१ 98765 ४३२१०",
        "98765\u00a043210",
    ],
)
def test_reads_what_people_type(typed: str) -> None:
    assert parse_mobile(typed) == "+919876543210"


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Enter your mobile number."),
        ("   ", "Enter your mobile number."),
        ("987654321", "You entered 9."),
        ("98765432101", "You entered 11."),
        ("7", "You entered 1."),
        ("98765abcde", "only digits"),
        ("1800-FLOWERS", "only digits"),
        ("+1 212 555 0100", "without +1"),
        ("+44 20 7946 0958", "without +44"),
        ("1234567890", "start with 6, 7, 8 or 9"),
        ("022-22721234", "start with 6, 7, 8 or 9"),
        ("98765\x0043210", "only digits"),
        ("९८७६५४३२१० नमस्ते", "only digits"),
        ("+", "10 digits"),
        ("9" * 1_000_000, "too long"),
        ("+919876543210 ext 5", "only digits"),
        ("²²²²²²²²²²", "only digits"),
    ],
)
def test_says_what_is_wrong(typed: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_mobile(typed)
    assert says in str(refused.value.message)
    assert refused.value.field == "mobile"
