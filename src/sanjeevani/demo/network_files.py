"""Files of a made-up national network to bring in, some of their rows broken on purpose.

Every broken row is known by its file and line, so that a proof can compare what was reported.
"""

import csv
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sanjeevani.onboarding.columns import KINDS

FACILITY_KINDS = ("district_hospital", "medical_college", "sub_district_hospital")
SPECIALITIES = ("general_medicine", "paediatrics", "obstetrics_gynaecology", "dermatology")

Cells = dict[str, str]


@dataclass
class NetworkFiles:
    """The written files and the lines that were broken: `{file name: {line, ...}}`."""

    paths: list[Path] = field(default_factory=list)
    broken: dict[str, set[int]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def write_network(
    folder: Path,
    *,
    states: Sequence[int],
    spokes: int,
    hubs: int,
    staff: int,
    broken: float = 0.02,
    seed: int = 20210610,
) -> NetworkFiles:
    """Write facilities.csv, hub_links.csv and staff.csv for some states into a folder.

    Every tenth hub is a medical college without a hub above; the others are spokes of one, so
    that there are three tiers. Rows stand by state, as states send them. A share
    `broken` of the rows of each file cannot be used.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible files, not a secret
    network = _Network(states, spokes, hubs, staff, chance)
    written = NetworkFiles()
    for kind, rows, faults in (
        ("facilities", network.facilities(), FACILITY_FAULTS),
        ("hub_links", network.links(), LINK_FAULTS),
        ("staff", network.staff_rows(), STAFF_FAULTS),
    ):
        path = folder / f"{kind}.csv"
        columns = [column.name for column in KINDS[kind]]
        lines: set[int] = set()
        count = 0
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            for line, cells in enumerate(sorted(rows, key=lambda row: int(row["state"])), start=2):
                count += 1
                if chance.random() < broken and not cells.pop("keep", ""):
                    cells |= chance.choice(faults)(cells)
                    lines.add(line)
                cells.pop("keep", None)
                writer.writerow(cells)
        written.paths.append(path)
        written.broken[path.name] = lines
        written.rows[path.name] = count
    return written


class _Network:
    def __init__(
        self, states: Sequence[int], spokes: int, hubs: int, staff: int, chance: random.Random
    ) -> None:
        self.states = states
        self.spokes = spokes
        self.hubs = hubs
        self.staff = staff
        self.chance = chance

    def _place(self, number: int) -> tuple[int, str]:
        state = self.states[number % len(self.states)]
        return state, f"District {number // len(self.states) % 30 + 1}"

    def facilities(self) -> Iterator[Cells]:
        """Hubs first. Only spokes are broken: a broken hub would break all that links to it."""
        for number in range(self.hubs):
            state, district = self._place(number)
            is_college = self._is_college(number)
            yield {
                "keep": "yes",
                "state": str(state),
                "code": f"HUB{number:05}",
                "name": f"Hospital {number + 1}",
                "name_hi": f"अस्पताल {number + 1}",
                "kind": "medical_college" if is_college else self.chance.choice(FACILITY_KINDS),
                "district": district,
                "address": "Hospital Road",
                "phone": f"011 {number:07}",
                "hub": "yes",
                "spoke": "no" if is_college else "yes",
                "specialities": "|".join(SPECIALITIES[: 1 + number % len(SPECIALITIES)]),
            }
        for number in range(self.spokes):
            state, district = self._place(number)
            yield {
                "state": str(state),
                "code": f"HWC{number:06}",
                "name": f"Health and Wellness Centre {number + 1}",
                "name_hi": f"स्वास्थ्य एवं कल्याण केंद्र {number + 1}",
                "kind": "sub_centre" if number % 5 else "primary_health_centre",
                "district": district,
                "address": f"Village {number + 1}",
                "spoke": "yes",
            }

    def _is_college(self, number: int) -> bool:
        return number // len(self.states) % 10 == 0

    def links(self) -> Iterator[Cells]:
        """Hospitals to the college of their state, centres to two hospitals of theirs."""
        width = len(self.states)
        by_state = {
            state: list(range(index, self.hubs, width)) for index, state in enumerate(self.states)
        }
        for number in range(self.hubs):
            if not self._is_college(number):
                state, _district = self._place(number)
                college = by_state[state][0]
                yield self._link(state, f"HUB{number:05}", f"HUB{college:05}", 1)
        for number in range(self.spokes):
            state, _district = self._place(number)
            hubs = by_state[state]
            first = number // width % len(hubs)
            places = dict.fromkeys((hubs[first], hubs[(first + 1) % len(hubs)]))
            for place, hub in enumerate(places, start=1):
                yield self._link(state, f"HWC{number:06}", f"HUB{hub:05}", place)

    def _link(self, state: int, spoke: str, hub: str, place: int) -> Cells:
        return {
            "state": str(state),
            "spoke_code": spoke,
            "hub_code": hub,
            "place": str(place),
        }

    def staff_rows(self) -> Iterator[Cells]:
        """Two doctors a hub, then health workers for the centres."""
        doctors = min(self.hubs * 2, self.staff)
        for number in range(doctors):
            hub = number % self.hubs
            state, _district = self._place(hub)
            yield {
                "state": str(state),
                "user_name": f"doctor.{number}",
                "name": f"Dr Asha Rao {number}",
                "mobile": f"9{number:09}",
                "role": "specialist" if number % 3 else "doctor",
                "facility_code": f"HUB{hub:05}",
                "gender": "female" if number % 2 else "male",
                "qualification": "MBBS, MD",
                "council": "National Medical Commission",
                "registration_number": f"DEMO-N-{number:06}",
                "speciality": SPECIALITIES[number % len(SPECIALITIES)],
                "languages": "hi|en",
                "contact": f"doctor.{number}@demo.invalid",
            }
        # Beyond the centres come second helpers; without centres, hospitals have them.
        centres = itertools.cycle(range(self.spokes)) if self.spokes else None
        for number in range(self.staff - doctors):
            centre = next(centres) if centres is not None else number % self.hubs
            state, _district = self._place(centre)
            prefix = f"HWC{centre:06}" if centres is not None else f"HUB{centre:05}"
            yield {
                "state": str(state),
                "user_name": f"worker.{number}",
                "name": f"Sunita Devi {number}",
                "mobile": f"8{number:09}",
                "role": "health_worker",
                "facility_code": prefix,
                "language": "hi",
            }


Fault = Callable[[Mapping[str, str]], Cells]

FACILITY_FAULTS: Sequence[Fault] = (
    lambda _cells: {"name": ""},
    lambda _cells: {"kind": "temple"},
    lambda _cells: {"state": "Atlantis"},
    lambda _cells: {"spoke": "perhaps"},
    lambda cells: {"address": "x" * 300 + cells["address"]},
    lambda _cells: {"name_hi": "?????? ????"},
    lambda _cells: {"code": "9.87E+11"},
    lambda _cells: {"code": "=A1"},
)
LINK_FAULTS: Sequence[Fault] = (
    lambda _cells: {"hub_code": "NOWHERE"},
    lambda cells: {"hub_code": cells["spoke_code"]},
    lambda _cells: {"place": "first"},
    lambda _cells: {"speciality": "astrology"},
    lambda _cells: {"spoke_code": ""},
)
STAFF_FAULTS: Sequence[Fault] = (
    lambda _cells: {"mobile": "12345"},
    lambda _cells: {"role": "astrologer"},
    lambda _cells: {"facility_code": "NOWHERE"},
    lambda _cells: {"user_name": "No Blanks Please"},
    lambda _cells: {"role": "national_admin"},
    lambda _cells: {"name": ""},
)
