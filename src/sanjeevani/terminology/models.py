"""Reference tables, keyed by their natural codes and loaded from `data/` by `load_reference`."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func

from sanjeevani.foundation.sharding import ReferenceModel
from sanjeevani.foundation.steady import SteadyModel

DEFAULT_LANGUAGE = "en"


def search_column() -> models.GeneratedField:
    """Make the column that prefix searches ask, computed by the database from `search_words`.

    `array_to_tsvector` takes the words as they are; PostgreSQL's text parser would cut Indic
    scripts at their vowel signs.
    """
    return models.GeneratedField(
        expression=Func(F("search_words"), function="array_to_tsvector"),
        output_field=SearchVectorField(),
        db_persist=True,
    )


class NamedModel(SteadyModel, ReferenceModel):
    """A coded entry with its name in each language."""

    code = models.CharField(max_length=60, primary_key=True)
    names = models.JSONField()

    class Meta:
        abstract = True

    def name_in(self, language: str) -> str:
        """Return the name in a language (`hi`), in English where there is none."""
        return str(self.names.get(language) or self.names[DEFAULT_LANGUAGE])


class SpecialitySystem(models.TextChoices):
    """The system of medicine a speciality belongs to."""

    ALLOPATHY = "allopathy"
    AYUSH = "ayush"


class Speciality(NamedModel):
    """A field of medicine that clinics, hubs and practitioners name."""

    system = models.CharField(max_length=10, choices=SpecialitySystem.choices)
    snomed_code = models.CharField(max_length=18, blank=True)
    icon = models.CharField(max_length=30)
    position = models.SmallIntegerField()

    class Meta:
        ordering = ["position"]


class FollowOnQuestion(NamedModel):
    """A question asked about a complaint.

    `kind`: duration, choice, yes_no, number, temperature, date or text. `options` of a choice:
    `[{"code": ..., "text": {"en": ..., "hi": ...}}]`. `names` holds the question itself.
    """

    kind = models.CharField(max_length=12)
    options = models.JSONField(default=list)
    minimum = models.IntegerField(null=True)
    maximum = models.IntegerField(null=True)


class Symptom(NamedModel):
    """A complaint that a patient can pick."""

    icon = models.CharField(max_length=30)
    body_area = models.CharField(max_length=20)
    sex = models.CharField(max_length=6, blank=True)  # female or male only; blank: everyone
    minimum_age_months = models.SmallIntegerField(default=0)
    maximum_age_months = models.SmallIntegerField(null=True)  # exclusive
    speciality = models.ForeignKey(Speciality, models.PROTECT, related_name="+")
    child_speciality = models.ForeignKey(
        Speciality, models.PROTECT, related_name="+", null=True, blank=True
    )
    snomed_code = models.CharField(max_length=18, blank=True)
    question_codes = ArrayField(models.CharField(max_length=60))
    search_words = ArrayField(models.CharField(max_length=60))
    position = models.SmallIntegerField()

    class Meta:
        ordering = ["position"]


class Diagnosis(SteadyModel, ReferenceModel):
    """A category or subcategory of ICD-10, WHO edition of 2019.

    `names` holds this service's own plain names of frequent diagnoses, not translations of the
    title. `rank` orders search results, the most frequent first.
    """

    code = models.CharField(max_length=8, primary_key=True)
    title = models.CharField(max_length=255)
    names = models.JSONField(default=dict)
    chapter = models.CharField(max_length=6)
    rank = models.SmallIntegerField()
    search_words = ArrayField(models.CharField(max_length=60))
    search = search_column()

    class Meta:
        indexes = [
            GinIndex("search", name="diagnosis_search"),
            models.Index(
                fields=["code"], name="diagnosis_code_prefix", opclasses=["varchar_pattern_ops"]
            ),
        ]

    def name_in(self, language: str) -> str:
        """Return this service's name in a language, or the title."""
        return str(self.names.get(language) or self.title)


class AllergyGroup(NamedModel):
    """A group of ingredients that one allergy may extend to.

    `aliases`: what patients call it. Of a name every word has to be said, and nobody says
    "sulfa medicines" in full.
    """

    aliases = ArrayField(models.CharField(max_length=40), default=list)
    member_classes = ArrayField(models.CharField(max_length=40))
    cross_reacts_with = ArrayField(models.CharField(max_length=60))
    source = models.CharField(max_length=200)


class PregnancyAdvice(models.TextChoices):
    """What an ingredient means in pregnancy; blank where nothing is recorded."""

    CAUTION = "caution"
    AVOID = "avoid"
    CONTRAINDICATED = "contraindicated"


class Ingredient(ReferenceModel):
    """An active ingredient with what the safety rules need to know of it.

    Limits are for the oral route unless the note says otherwise; `confirmed` is False until a
    clinical lead has checked the row against a formulary. `brands`: names under which it is sold,
    alone or with others, and what else patients call it, for what they say that they take or do
    not stand.
    """

    code = models.CharField(max_length=60, primary_key=True)
    name = models.CharField(max_length=120)
    aliases = ArrayField(models.CharField(max_length=40))
    brands = ArrayField(models.CharField(max_length=40), default=list)
    classes = ArrayField(models.CharField(max_length=40))
    atc_code = models.CharField(max_length=7, blank=True)
    pregnancy = models.CharField(max_length=16, choices=PregnancyAdvice.choices, blank=True)
    pregnancy_note = models.CharField(max_length=200, blank=True)
    minimum_age_months = models.SmallIntegerField(default=0)
    age_note = models.CharField(max_length=200, blank=True)
    maximum_daily_mg = models.FloatField(null=True)
    maximum_daily_mg_per_kg = models.FloatField(null=True)
    source = models.CharField(max_length=200)
    confirmed = models.BooleanField(default=False)


class GuidelineList(models.TextChoices):
    """Where the Telemedicine Practice Guidelines of 2020 put a medicine.

    O: any consultation in any mode. A: a first consultation by video, any follow-up. B: an
    add-on in a follow-up for the same condition. NONE: refused until a clinical lead
    classifies it. PROHIBITED: Schedule X and the NDPS Act.
    """

    O = "O"  # noqa: E741 - the guidelines' own name
    A = "A"
    B = "B"
    NONE = "none"
    PROHIBITED = "prohibited"


class Medicine(ReferenceModel):
    """A generic medicine in one form and strength: what a prescription line names.

    `amounts` are milligrams of each ingredient in one unit of the form (tablet, mL, puff, ...),
    in the order of `ingredient_codes`, and empty where a daily amount makes no sense. `form`,
    `route`, `usual_frequency` and `usual_instruction` are codes of `dosage.py`. `schedule` is
    that of the Drugs Rules (G, H, H1, X) or NDPS. `essential_level`: P, S, T as in the National
    List of Essential Medicines 2022, unconfirmed.
    """

    code = models.CharField(max_length=120, primary_key=True)
    generic_name = models.CharField(max_length=160)
    ingredient_codes = ArrayField(models.CharField(max_length=60))
    amounts = ArrayField(models.FloatField())
    form = models.CharField(max_length=30)
    strength = models.CharField(max_length=80)
    route = models.CharField(max_length=20)
    atc_code = models.CharField(max_length=7, blank=True)
    guideline_list = models.CharField(max_length=10, choices=GuidelineList.choices)
    list_source = models.CharField(max_length=200)
    list_confirmed = models.BooleanField(default=False)
    schedule = models.CharField(max_length=4, blank=True)
    essential_level = models.CharField(max_length=3, blank=True)
    usual_dose = models.FloatField(null=True)
    usual_frequency = models.CharField(max_length=12, blank=True)
    usual_days = models.SmallIntegerField(null=True)
    usual_instruction = models.CharField(max_length=30, blank=True)
    aliases = ArrayField(models.CharField(max_length=40))
    search_words = ArrayField(models.CharField(max_length=60))
    search = search_column()

    class Meta:
        indexes = [
            GinIndex("search", name="medicine_search"),
            GinIndex(fields=["aliases"], name="medicine_aliases"),
        ]

    @property
    def name_on_prescription(self) -> str:
        """The generic name in capitals, as the guidelines ask."""
        return self.generic_name.upper()


class Severity(models.TextChoices):
    """How grave an interaction is."""

    CONTRAINDICATED = "contraindicated"
    SERIOUS = "serious"
    MODERATE = "moderate"


class Interaction(ReferenceModel):
    """Two ingredients, or classes written `class:<name>`, that harm each other."""

    code = models.CharField(max_length=130, primary_key=True)
    first = models.CharField(max_length=60)
    second = models.CharField(max_length=60)
    severity = models.CharField(max_length=16, choices=Severity.choices)
    effects = models.JSONField()
    advice = models.CharField(max_length=200)
    source = models.CharField(max_length=200)
    confirmed = models.BooleanField(default=False)

    def effect_in(self, language: str) -> str:
        """Return what may happen, in a language, in English where there is none."""
        return str(self.effects.get(language) or self.effects[DEFAULT_LANGUAGE])


class LoadedEdition(SteadyModel, ReferenceModel):
    """Which edition of a package's data files the tables hold, so that a restart loads nothing."""

    name = models.CharField(max_length=40, primary_key=True)
    digest = models.CharField(max_length=64)
