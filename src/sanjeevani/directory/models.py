"""States, facilities, practitioners, posts, clinics, and the lines they open."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.sharding import (
    KeyedModel,
    ReferenceModel,
    ShardedModel,
    sharded_relation,
)
from sanjeevani.foundation.steady import SteadyModel


class PresenceProof(models.TextChoices):
    """How a spoke shows that the patient really sits there, as the state sets it."""

    ANY = "any", _("A photo, or a code to the patient’s mobile")
    PHOTO = "photo", _("A photo")
    CODE = "code", _("A code to the patient’s mobile; a photo where there is none")
    NONE = "none", _("Nothing is asked")


class State(SteadyModel, ReferenceModel):
    """A state or union territory by its LGD code; 0 is the tenant National."""

    lgd_code = models.SmallIntegerField(primary_key=True)
    iso_3166_2 = models.CharField(max_length=6, unique=True)
    name = models.CharField(max_length=60, unique=True)
    name_hi = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    languages = ArrayField(models.CharField(max_length=3))
    population_2011 = models.PositiveIntegerField(null=True)
    presence_proof = models.CharField(
        max_length=5, choices=PresenceProof.choices, default=PresenceProof.ANY
    )
    opened_at = models.DateTimeField(null=True)


class Gender(models.TextChoices):
    """Administrative gender, as in FHIR without `unknown`."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")


class Role(models.TextChoices):
    """What a post lets its holder do."""

    HEALTH_WORKER = "health_worker", _("Health worker")
    PHARMACIST = "pharmacist", _("Pharmacist")
    DOCTOR = "doctor", _("Doctor")
    SPECIALIST = "specialist", _("Specialist")
    FACILITY_ADMIN = "facility_admin", _("Facility administrator")
    STATE_ADMIN = "state_admin", _("State administrator")
    NATIONAL_ADMIN = "national_admin", _("National administrator")
    OBSERVER = "observer", _("Observer")


CLINICAL_ROLES = frozenset({Role.DOCTOR, Role.SPECIALIST})

BESIDE_THE_PATIENT = CLINICAL_ROLES | {Role.HEALTH_WORKER}
"""Roles that sit beside the patients of a spoke and ask a hub for them."""

AT_THE_COUNTER = BESIDE_THE_PATIENT | {Role.PHARMACIST}
"""Roles that hand out medicines at a spoke and say what it has none of."""


class Facility(SteadyModel, ShardedModel):
    """A health institution: OPD host, hub, spoke, or several of these at once."""

    code = models.CharField(max_length=20, blank=True)
    """Its number in the register of health facilities, or the state's own: how files name it."""
    name = models.CharField(max_length=120)
    name_hi = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=30)
    address = models.CharField(max_length=200)
    district = models.CharField(max_length=60)
    phone = models.CharField(max_length=20, blank=True)
    is_opd_host = models.BooleanField(default=False)
    is_hub = models.BooleanField(default=False)
    is_spoke = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "district", "name"], name="facility_name_in_district"
            ),
            models.UniqueConstraint(
                fields=["state_id", "code"], name="facility_code", condition=~models.Q(code="")
            ),
        ]


class FacilityKind(models.TextChoices):
    """What sort of institution a facility is, in the words of the health ministry."""

    MEDICAL_COLLEGE = "medical_college", _("Medical college hospital")
    DISTRICT_HOSPITAL = "district_hospital", _("District hospital")
    SUB_DISTRICT_HOSPITAL = "sub_district_hospital", _("Sub-district hospital")
    COMMUNITY_HEALTH_CENTRE = "community_health_centre", _("Community health centre")
    PRIMARY_HEALTH_CENTRE = "primary_health_centre", _("Primary health centre")
    SUB_CENTRE = "sub_centre", _("Health sub-centre")
    DIRECTORATE = "directorate", _("Directorate of health services")
    MINISTRY = "ministry", _("Ministry or national body")
    OTHER = "other", _("Another institution")


class Practitioner(SteadyModel, ShardedModel):
    """A registered medical practitioner. Listed and put on duty only once verified."""

    account_id = models.UUIDField()
    name = models.CharField(max_length=100)
    gender = models.CharField(max_length=6, choices=Gender.choices)
    qualification = models.CharField(max_length=100)
    council = models.CharField(max_length=60)
    registration_number = models.CharField(max_length=30)
    speciality_code = models.CharField(max_length=30)
    languages = ArrayField(models.CharField(max_length=3))
    address = models.CharField(max_length=200)
    contact = models.CharField(max_length=60)
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "council", "registration_number"],
                name="practitioner_registration",
            ),
            models.UniqueConstraint(fields=["state_id", "account_id"], name="practitioner_account"),
        ]


class Post(SteadyModel, ShardedModel):
    """A person in a role at a facility. All permissions come from posts."""

    account_id = models.UUIDField()
    facility_id = models.UUIDField()
    facility = sharded_relation("directory.Facility", "facility_id")
    role = models.CharField(max_length=20, choices=Role.choices)
    practitioner_id = models.UUIDField(null=True)
    practitioner = sharded_relation("directory.Practitioner", "practitioner_id", null=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "account_id", "facility_id", "role"],
                condition=models.Q(ended_at__isnull=True),
                name="post_once_at_a_time",
            ),
            models.CheckConstraint(
                name="post_clinical_needs_practitioner",
                condition=~models.Q(role__in=["doctor", "specialist"])
                | models.Q(practitioner_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["account_id"], name="post_by_account"),
            models.Index(fields=["state_id", "facility_id"], name="post_by_facility"),
        ]


class AwaitedPost(ShardedModel):
    """A clinical post that begins when its practitioner is verified."""

    practitioner_id = models.UUIDField()
    practitioner = sharded_relation("directory.Practitioner", "practitioner_id")
    facility_id = models.UUIDField()
    facility = sharded_relation("directory.Facility", "facility_id")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "practitioner_id", "facility_id", "role"],
                name="awaited_post_once",
            )
        ]
        indexes = [models.Index(fields=["state_id", "facility_id"], name="awaited_by_facility")]


class LineKind(models.TextChoices):
    """Whose tokens wait in a line."""

    CLINIC = "clinic", _("Online OPD")
    HUB = "hub", _("Hub speciality")
    FOLLOW_UP = "follow_up", _("Follow-ups of one doctor")
    WRITTEN = "written", _("Written requests to a hub speciality")


class Line(SteadyModel, ShardedModel):
    """Where tokens wait. It belongs to the tenant of its host for life.

    A follow-up lane has a parent, the line whose patients it takes, and its one practitioner; it
    has its own places a day and takes none of the parent's. What a spoke sends to be answered later
    waits in a line beside the hub's, which Next leaves alone.
    """

    kind = models.CharField(max_length=10, choices=LineKind.choices)
    facility_id = models.UUIDField()
    facility = sharded_relation("directory.Facility", "facility_id")
    speciality_code = models.CharField(max_length=30)
    places_per_day = models.PositiveIntegerField()
    waiting_places = models.PositiveIntegerField()
    target_wait_minutes = models.PositiveSmallIntegerField(default=30)
    parent_id = models.UUIDField(null=True)
    parent = sharded_relation("directory.Line", "parent_id", null=True)
    practitioner_id = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state_id", "facility_id"], name="line_by_facility")]
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "parent_id", "practitioner_id"], name="line_lane_once"
            ),
            models.UniqueConstraint(
                fields=["state_id", "parent_id"],
                condition=models.Q(kind="written"),
                name="line_written_once",
            ),
            models.UniqueConstraint(
                fields=["state_id", "facility_id", "speciality_code"],
                condition=models.Q(kind="hub", closed_at__isnull=True),
                name="line_hub_speciality_once",
            ),
            models.CheckConstraint(
                name="line_lane_has_parent",
                condition=models.Q(
                    kind="follow_up", parent_id__isnull=False, practitioner_id__isnull=False
                )
                | models.Q(kind="written", parent_id__isnull=False, practitioner_id__isnull=True)
                | (
                    ~models.Q(kind__in=["follow_up", "written"])
                    & models.Q(parent_id__isnull=True, practitioner_id__isnull=True)
                ),
            ),
            models.CheckConstraint(
                name="line_target_positive", condition=models.Q(target_wait_minutes__gt=0)
            ),
        ]


class HubLink(SteadyModel, ShardedModel):
    """That a hub answers a spoke. It lives with the spoke; the hub may be of another state.

    Without a speciality it counts for every speciality that the hub has opened. `position` 1 is
    asked first.
    """

    spoke_id = models.UUIDField()
    spoke = sharded_relation("directory.Facility", "spoke_id")
    speciality_code = models.CharField(max_length=30, blank=True)
    hub_state_id = models.SmallIntegerField()
    hub_id = models.UUIDField()
    position = models.PositiveSmallIntegerField()
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "spoke_id", "speciality_code", "hub_state_id", "hub_id"],
                name="hub_link_once",
            ),
            models.CheckConstraint(
                name="hub_link_leads_elsewhere",
                condition=~models.Q(hub_state_id=models.F("state_id"), hub_id=models.F("spoke_id")),
            ),
            models.CheckConstraint(name="hub_link_position", condition=models.Q(position__gte=1)),
        ]
        indexes = [models.Index(fields=["hub_id"], name="hub_link_by_hub")]


class Clinic(SteadyModel, ShardedModel):
    """An online OPD: its host, speciality and rules. Its line has its own places."""

    facility_id = models.UUIDField()
    facility = sharded_relation("directory.Facility", "facility_id")
    line_id = models.UUIDField()
    line = sharded_relation("directory.Line", "line_id")
    speciality_code = models.CharField(max_length=30)
    name = models.CharField(max_length=120)
    name_hi = models.CharField(max_length=120, blank=True)
    time_limit_minutes = models.PositiveSmallIntegerField(default=10)
    languages = ArrayField(models.CharField(max_length=3))
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state_id", "line_id"], name="clinic_has_one_line"),
            models.UniqueConstraint(fields=["state_id", "facility_id", "name"], name="clinic_name"),
        ]


class ClinicHours(SteadyModel, ShardedModel):
    """One opening of a clinic on a weekday (0 is Monday), in Indian time."""

    clinic_id = models.UUIDField()
    clinic = sharded_relation("directory.Clinic", "clinic_id")
    weekday = models.PositiveSmallIntegerField()
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "clinic_id", "weekday", "opens"], name="clinic_hours_once"
            ),
            models.CheckConstraint(name="clinic_hours_weekday", condition=models.Q(weekday__lte=6)),
            models.CheckConstraint(
                name="clinic_hours_in_order", condition=models.Q(closes__gt=models.F("opens"))
            ),
        ]


class Holiday(SteadyModel, ShardedModel):
    """A day on which a facility's clinics stay closed; with `clinic_id`, only that one."""

    facility_id = models.UUIDField()
    facility = sharded_relation("directory.Facility", "facility_id")
    clinic_id = models.UUIDField(null=True)
    clinic = sharded_relation("directory.Clinic", "clinic_id", null=True)
    date = models.DateField()
    reason = models.CharField(max_length=100)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state_id", "facility_id", "date", "clinic_id"],
                name="holiday_once",
                nulls_distinct=False,
            )
        ]


class Registration(KeyedModel):
    """Gives a registration with a council to one practitioner nation-wide.

    Whoever is on two states' lists would have two desks, and two live consultations at once.
    """

    key = models.CharField(max_length=100, primary_key=True)
    """Council and number, in small letters and digits only."""
    practitioner_state_id = models.SmallIntegerField()
    practitioner_id = models.UUIDField()


class ServedState(SteadyModel, ReferenceModel):
    """That a clinic serves the patients of a state. Grows at run time.

    A reference table because a patient's state asks which clinics of all tenants serve it.
    """

    pk = models.CompositePrimaryKey("served_state_id", "clinic_id")
    served_state_id = models.SmallIntegerField()
    clinic_state_id = models.SmallIntegerField()
    clinic_id = models.UUIDField()
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["clinic_id"], name="served_state_by_clinic")]
