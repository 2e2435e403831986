"""What an intake holds: one value type, stored as JSON in drafts and in frozen intakes."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from sanjeevani.patients.companions import Companion
from sanjeevani.terminology.vitals import LOWER, UPPER

TEXT_LENGTH = 2000


@dataclass(frozen=True)
class IntakeContent:
    """The patient's own words and structured answers.

    `complaints` are symptom codes of the terminology, `duration_days` since when, at most ten
    years; `answers` the danger-sign questions by code; `vitals` what was measured, by code in the
    vital's own unit (`terminology/vitals.py`). `told`: what was asked about the complaints
    (`following.py`), by code. `companion` is the identified adult with
    the patient, written by the request.
    """

    complaints: list[str] = field(default_factory=list)
    text: str = ""
    duration_days: int | None = None
    history: str = ""
    allergies: str = ""
    medicines: str = ""
    answers: dict[str, bool] = field(default_factory=dict)
    vitals: dict[str, float] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    companion: Companion | None = None

    def as_json(self) -> dict[str, Any]:
        """The value as stored."""
        return asdict(self)

    def with_earlier(self, earlier: Self) -> Self:
        """Return this content with what an earlier one says besides; nothing of either is lost."""
        return replace(
            self,
            complaints=list(dict.fromkeys([*self.complaints, *earlier.complaints])),
            duration_days=self.duration_days or earlier.duration_days,
            answers=earlier.answers | self.answers,
            vitals=_latest(earlier.vitals, self.vitals),
            told=earlier.told | self.told,
            companion=self.companion or earlier.companion,
            **{
                name: _joined(getattr(self, name), getattr(earlier, name))
                for name in ("text", "history", "allergies", "medicines")
            },
        )

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read a stored value; keys of later versions are left out."""
        known = {key: value for key, value in stored.items() if key in cls.__dataclass_fields__}
        companion = known.pop("companion", None)
        return cls(**known, companion=Companion(**companion) if companion else None)


def _joined(told: str, before: str) -> str:
    """Return a text with those lines of an earlier one that it does not hold."""
    lines = told.splitlines()
    return "\n".join([*lines, *(line for line in before.splitlines() if line not in lines)])


def _latest(earlier: dict[str, float], measured: dict[str, float]) -> dict[str, float]:
    """Return the newest of each; the two values of a blood pressure belong to one measurement."""
    pressure = {UPPER, LOWER}
    if pressure & measured.keys():
        earlier = {code: value for code, value in earlier.items() if code not in pressure}
    return earlier | measured
