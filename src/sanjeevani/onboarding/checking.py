"""Rows held against what is registered already: what is new, what is there, what cannot be.

A batch looks its rows up with one statement per table. A check stores nothing, so it remembers what
it would have stored: links and staff may name facilities of the same files.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from sanjeevani.directory.bulk import NewFacility, NewLink, NewPost, NewPractitioner
from sanjeevani.directory.hubs import LinkGraph, links_between_hubs
from sanjeevani.directory.models import (
    AwaitedPost,
    Facility,
    HubLink,
    Post,
    Practitioner,
    Registration,
    Role,
    State,
)
from sanjeevani.directory.permissions import GIVEN_BY_NATION
from sanjeevani.directory.services import PractitionerDetails
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import NATIONAL, across_states
from sanjeevani.identity.models import Account, AccountKind, Login
from sanjeevani.identity.services import NewAccount
from sanjeevani.onboarding.messages import Remark
from sanjeevani.onboarding.reading import AnyRow, FacilityRow, LinkRow, StaffRow

Code = tuple[int, str]
"""A facility as files name it: `(state_id, code)`."""


@dataclass
class Batch:
    """What one batch of rows comes to, by line."""

    facilities: dict[int, NewFacility] = field(default_factory=dict)
    links: dict[int, NewLink] = field(default_factory=dict)
    accounts: dict[int, NewAccount] = field(default_factory=dict)
    practitioners: dict[int, NewPractitioner] = field(default_factory=dict)
    posts: dict[int, NewPost] = field(default_factory=dict)
    there: set[int] = field(default_factory=set)
    remarks: list[tuple[int, Remark]] = field(default_factory=list)

    def wrong(self, line: int, column: str, code: str, /, **params: Any) -> None:
        """Note why a row is left out."""
        self.remarks.append((line, Remark(column, code, params)))

    def note(self, line: int, column: str, code: str, /, **params: Any) -> None:
        """Note something worth knowing about a row that is there already."""
        self.remarks.append((line, Remark(column, code, params, is_error=False)))

    @property
    def broken(self) -> set[int]:
        """The lines left out."""
        return {line for line, remark in self.remarks if remark.is_error}


@dataclass
class KnownFacility:
    """A facility that links and staff may name."""

    id: uuid.UUID
    is_hub: bool
    is_spoke: bool
    is_closed: bool
    address: str


@dataclass
class KnownAccount:
    """An account that may get further posts."""

    id: uuid.UUID
    name: str
    mobile: str
    home_state_id: int | None
    is_active: bool


@dataclass
class KnownPractitioner:
    """A doctor on a list."""

    id: uuid.UUID
    account_id: uuid.UUID
    state_id: int
    registration: str
    is_verified: bool


class Checker:
    """Checks the rows of one import. `stores`: what is new will be there at the next batch."""

    def __init__(self, own_state: int, *, stores: bool) -> None:
        self.own_state = own_state
        self.stores = stores
        self.states = {state.lgd_code: state for state in State.objects.all()}
        self.seen: dict[tuple[Any, ...], int] = {}
        self.spokes: dict[Code, int] = {}
        self.linked: set[Code] = set()
        self.facilities: dict[Code, KnownFacility] = {}
        self.accounts: dict[str, KnownAccount] = {}
        self.registered: dict[str, KnownPractitioner] = {}
        self.doctors: set[tuple[int, uuid.UUID]] = set()
        self.graph = LinkGraph() if stores else links_between_hubs()

    def remember(self, rows: Iterable[AnyRow]) -> None:
        """Note rows that are dealt with: later ones must not repeat them."""
        for row in rows:
            for key in row.keys:
                self.seen.setdefault(key, row.line)
            if isinstance(row, FacilityRow) and row.details.is_spoke:
                self.spokes.setdefault((row.state_id, row.code), row.line)
            if isinstance(row, LinkRow):
                self.linked.add((row.state_id, row.spoke_code))

    def pass_over(self, rows: Sequence[AnyRow]) -> None:
        """Note rows, all of one kind, that another process has dealt with.

        What they came to is stored by now, or, in a check, nowhere: later rows may name it.
        """
        if self.stores:
            self.remember(rows)
        else:
            self.check(rows)

    def check(self, rows: Sequence[AnyRow]) -> Batch:
        """Sort the rows of a batch, all of one kind."""
        self.remember(rows)
        if self.stores:
            self.facilities, self.accounts, self.registered = {}, {}, {}
            self.doctors = set()
        batch = Batch()
        usable = [row for row in rows if self._is_ours(row, batch) and self._is_first(row, batch)]
        self._facilities([row for row in usable if isinstance(row, FacilityRow)], batch)
        self._links([row for row in usable if isinstance(row, LinkRow)], batch)
        self._staff([row for row in usable if isinstance(row, StaffRow)], batch)
        return batch

    def _is_ours(self, row: AnyRow, batch: Batch) -> bool:
        state = self.states[row.state_id]
        if self.own_state not in (NATIONAL, row.state_id):
            batch.wrong(row.line, "state", "other_state")
        elif state.opened_at is None:
            batch.wrong(row.line, "state", "closed_state", state=self._name(row.state_id))
        else:
            return True
        return False

    def _is_first(self, row: AnyRow, batch: Batch) -> bool:
        for key in row.keys:
            if self.seen[key] != row.line:
                batch.wrong(row.line, "", "repeats_line", line=self.seen[key])
                return False
        return True

    def _name(self, state_id: int) -> dict[str, str]:
        state = self.states[state_id]
        return {"en": state.name, "hi": state.name_hi}

    # Facilities ----------------------------------------------------------------------------------

    def _facilities(self, rows: Sequence[FacilityRow], batch: Batch) -> None:
        by_code: dict[Code, Facility] = {}
        by_name: set[tuple[int, str, str]] = set()
        for state_id, group in _by_state(rows):
            for facility in Facility.objects.filter(
                Q(code__in=[row.code for row in group])
                | Q(name__in=[row.details.name for row in group]),
                state_id=state_id,
            ):
                if facility.code:
                    by_code[state_id, facility.code] = facility
                by_name.add((state_id, facility.district, facility.name))
        for row in rows:
            there = by_code.get((row.state_id, row.code))
            if there is not None:
                batch.there.add(row.line)
                self._compare(row, there, batch)
            elif (row.state_id, row.details.district, row.details.name) in by_name:
                batch.wrong(row.line, "name", "name_taken")
            else:
                new = NewFacility(
                    state_id=row.state_id,
                    id=uuid7(),
                    code=row.code,
                    details=row.details,
                    speciality_codes=row.speciality_codes,
                )
                batch.facilities[row.line] = new
                if not self.stores:
                    self.facilities[row.state_id, row.code] = KnownFacility(
                        new.id,
                        row.details.is_hub,
                        row.details.is_spoke,
                        is_closed=False,
                        address=_address(row.details.name, row.details.district),
                    )

    def _compare(self, row: FacilityRow, there: Facility, batch: Batch) -> None:
        if there.closed_at is not None:
            batch.note(row.line, "", "facility_closed_since")
            return
        differing = [
            name.removeprefix("is_")
            for name, value in vars(row.details).items()
            if getattr(there, name) != value
        ]
        if differing:
            columns = ", ".join(differing)
            batch.note(row.line, differing[0], "facility_differs", columns=columns)

    def _look_up(self, codes: Iterable[Code]) -> None:
        """Bring the facilities of some codes into memory."""
        by_state: defaultdict[int, set[str]] = defaultdict(set)
        for state_id, code in codes:
            if (state_id, code) not in self.facilities:
                by_state[state_id].add(code)
        for state_id, wanted in by_state.items():
            for facility in Facility.objects.filter(state_id=state_id, code__in=wanted):
                self.facilities[state_id, facility.code] = KnownFacility(
                    facility.id,
                    facility.is_hub,
                    facility.is_spoke,
                    facility.closed_at is not None,
                    _address(facility.name, facility.district),
                )

    def _facility(self, line: int, column: str, code: Code, batch: Batch) -> KnownFacility | None:
        found = self.facilities.get(code)
        if found is None:
            state = self._name(code[0])
            batch.wrong(line, column, "unknown_facility", code=code[1], state=state)
        elif found.is_closed:
            batch.wrong(line, column, "closed_facility", code=code[1])
        else:
            return found
        return None

    # Hub links -----------------------------------------------------------------------------------

    def _links(self, rows: Sequence[LinkRow], batch: Batch) -> None:
        self._look_up((row.state_id, row.spoke_code) for row in rows)
        self._look_up((row.hub_state_id, row.hub_code) for row in rows)
        there: dict[tuple[Any, ...], int] = {}
        for state_id, group in _by_state(rows):
            spokes = {
                known.id
                for row in group
                if (known := self.facilities.get((state_id, row.spoke_code)))
            }
            for link in HubLink.objects.filter(state_id=state_id, spoke_id__in=spokes):
                key = (
                    state_id,
                    link.spoke_id,
                    link.speciality_code,
                    link.hub_state_id,
                    link.hub_id,
                )
                there[key] = link.position
        for row in rows:
            self._link(row, there, batch)

    def _link(self, row: LinkRow, there: dict[tuple[Any, ...], int], batch: Batch) -> None:
        if row.hub_state_id != row.state_id and self.own_state != NATIONAL:
            batch.wrong(row.line, "hub_state", "other_states_hub")
            return
        spoke_code, hub_code = (row.state_id, row.spoke_code), (row.hub_state_id, row.hub_code)
        spoke = self._facility(row.line, "spoke_code", spoke_code, batch)
        hub = self._facility(row.line, "hub_code", hub_code, batch)
        if spoke is None or hub is None:
            return
        if not spoke.is_spoke:
            batch.wrong(row.line, "spoke_code", "not_a_spoke", code=row.spoke_code)
        elif not hub.is_hub:
            batch.wrong(row.line, "hub_code", "not_a_hub", code=row.hub_code)
        elif spoke_code == hub_code:
            batch.wrong(row.line, "hub_code", "links_to_itself")
        else:
            key = (row.state_id, spoke.id, row.speciality_code, row.hub_state_id, hub.id)
            if key in there:
                batch.there.add(row.line)
                if there[key] != row.place:
                    batch.note(row.line, "place", "link_differs", place=there[key])
            elif not self.stores and not self.graph.add(
                (row.state_id, spoke.id), (row.hub_state_id, hub.id)
            ):
                leads_back(row, batch)
            else:
                batch.links[row.line] = NewLink(
                    state_id=row.state_id,
                    id=uuid7(),
                    spoke_id=spoke.id,
                    speciality_code=row.speciality_code,
                    hub_state_id=row.hub_state_id,
                    hub_id=hub.id,
                    position=row.place,
                )

    # Staff ---------------------------------------------------------------------------------------

    def _staff(self, rows: Sequence[StaffRow], batch: Batch) -> None:
        self._look_up((row.state_id, row.facility_code) for row in rows)
        self._look_up_accounts({row.login for row in rows})
        self._look_up_registrations(
            {row.registration for row in rows if row.registration is not None}
        )
        posts, ended = self._posts(rows)
        for row in rows:
            self._person(row, posts, ended, batch)

    def _look_up_accounts(self, logins: set[str]) -> None:
        keys = [f"{AccountKind.STAFF}:{login}" for login in logins - set(self.accounts)]
        ids = Login.objects.filter(key__in=keys).values_list("account_id", flat=True)
        for account in Account.objects.filter(id__in=list(ids)):
            self.accounts[account.login] = KnownAccount(
                account.id,
                account.display_name,
                account.mobile,
                account.home_state_id,
                account.is_active,
            )

    def _look_up_registrations(self, keys: set[str]) -> None:
        rows = Registration.objects.filter(key__in=keys - set(self.registered))
        by_id = {row.practitioner_id: row for row in rows}
        by_state: defaultdict[int, list[uuid.UUID]] = defaultdict(list)
        for row in by_id.values():
            by_state[row.practitioner_state_id].append(row.practitioner_id)
        for state_id, ids in by_state.items():
            for doctor in Practitioner.objects.filter(state_id=state_id, id__in=ids):
                self._know(doctor, by_id[doctor.id].key)

    def _know(self, doctor: Practitioner, registration: str) -> None:
        self.registered[registration] = KnownPractitioner(
            doctor.id,
            doctor.account_id,
            doctor.state_id,
            registration,
            doctor.verified_at is not None,
        )

    def _posts(self, rows: Sequence[StaffRow]) -> tuple[set[Any], set[Any]]:
        """Return the posts of the batch's people that there are, and those that have ended."""
        posts: set[Any] = set()
        ended: set[Any] = set()
        accounts = {self.accounts[row.login].id for row in rows if row.login in self.accounts}
        with across_states():  # asked by account, as at sign-in
            for account_id, facility_id, role, ended_at in Post.objects.filter(
                account_id__in=accounts
            ).values_list("account_id", "facility_id", "role", "ended_at"):
                (posts if ended_at is None else ended).add((account_id, facility_id, role))
        doctors = [
            self.registered[row.registration] for row in rows if row.registration in self.registered
        ]
        for state_id, group in _by_state(doctors):
            account_of = {doctor.id: doctor.account_id for doctor in group}
            for practitioner_id, facility_id, role in AwaitedPost.objects.filter(
                state_id=state_id, practitioner_id__in=list(account_of)
            ).values_list("practitioner_id", "facility_id", "role"):
                posts.add((account_of[practitioner_id], facility_id, role))
        return posts, ended

    def _person(self, row: StaffRow, posts: set[Any], ended: set[Any], batch: Batch) -> None:
        is_national = self.own_state == NATIONAL
        if row.role == Role.NATIONAL_ADMIN or (row.role in GIVEN_BY_NATION and not is_national):
            batch.wrong(row.line, "role", "role_not_yours", role=str(row.role))
            return
        facility = self._facility(
            row.line, "facility_code", (row.state_id, row.facility_code), batch
        )
        account = self.accounts.get(row.login)
        if account is not None:
            if not (
                account.is_active
                and account.name.casefold() == row.name.casefold()
                and account.mobile == row.mobile
            ):
                batch.wrong(row.line, "user_name", "login_taken")
                return
            if account.home_state_id != row.state_id and not is_national:
                batch.wrong(row.line, "user_name", "login_elsewhere")
                return
        if facility is None:
            return
        doctor = self.registered.get(row.registration) if row.registration else None
        if doctor is not None and doctor.state_id != row.state_id:
            state = self._name(doctor.state_id)
            batch.wrong(row.line, "registration_number", "registered_elsewhere", state=state)
            return
        if doctor is not None and (account is None or doctor.account_id != account.id):
            batch.wrong(row.line, "registration_number", "registered_already")
            return
        if row.practitioner is not None and doctor is None and account is not None:
            own = self._practitioner_of(row.state_id, account.id)
            if own:
                batch.wrong(row.line, "registration_number", "other_registration")
                return
        if account is not None:
            post = (account.id, facility.id, row.role)
            if post in posts or post in ended:
                batch.there.add(row.line)
                if post not in posts:
                    batch.note(row.line, "", "post_ended")
                return
        else:
            account = self._new_account(row, batch)
        if row.practitioner is not None and doctor is None:
            doctor = self._new_doctor(row, account, facility, batch)
        posts.add((account.id, facility.id, row.role))
        batch.posts[row.line] = NewPost(
            state_id=row.state_id,
            id=uuid7(),
            account_id=account.id,
            facility_id=facility.id,
            role=row.role,
            practitioner_id=doctor.id if doctor else None,
            waits=doctor is not None and not doctor.is_verified,
        )

    def _practitioner_of(self, state_id: int, account_id: uuid.UUID) -> bool:
        if (state_id, account_id) in self.doctors:
            return True
        return Practitioner.objects.filter(state_id=state_id, account_id=account_id).exists()

    def _new_account(self, row: StaffRow, batch: Batch) -> KnownAccount:
        new = NewAccount(
            id=uuid7(),
            login=row.login,
            display_name=row.name,
            mobile=row.mobile,
            language=row.language,
            home_state_id=row.state_id,
        )
        batch.accounts[row.line] = new
        account = KnownAccount(new.id, row.name, row.mobile, row.state_id, is_active=True)
        self.accounts[row.login] = account
        return account

    def _new_doctor(
        self, row: StaffRow, account: KnownAccount, facility: KnownFacility, batch: Batch
    ) -> KnownPractitioner:
        details = PractitionerDetails(
            **{**(row.practitioner or {}), "address": facility.address[:200]}
        )
        new = NewPractitioner(
            state_id=row.state_id, id=uuid7(), account_id=account.id, details=details
        )
        batch.practitioners[row.line] = new
        registration = row.registration or ""
        doctor = KnownPractitioner(
            new.id, account.id, row.state_id, registration, is_verified=False
        )
        self.registered[registration] = doctor
        self.doctors.add((row.state_id, account.id))
        return doctor

    # At the end ----------------------------------------------------------------------------------

    def spokes_without_hub(self) -> dict[Code, int]:
        """Return the spokes of these files that no hub answers, with their lines."""
        lonely = {code: line for code, line in self.spokes.items() if code not in self.linked}
        by_state: defaultdict[int, list[str]] = defaultdict(list)
        for state_id, code in lonely:
            by_state[state_id].append(code)
        for state_id, codes in by_state.items():
            for start in range(0, len(codes), 5000):
                linked = HubLink.objects.filter(
                    state_id=state_id,
                    spoke__code__in=codes[start : start + 5000],
                ).values_list("spoke__code", flat=True)
                for code in set(linked):
                    lonely.pop((state_id, code), None)
        return lonely


def leads_back(row: LinkRow, batch: Batch) -> None:
    """Note that a link would close a circle."""
    batch.wrong(row.line, "hub_code", "leads_back", spoke=row.spoke_code, hub=row.hub_code)


def _address(name: str, district: str) -> str:
    return f"{name}, {district}"


def _by_state(rows: Iterable[Any]) -> list[tuple[int, list[Any]]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.state_id].append(row)
    return list(found.items())
