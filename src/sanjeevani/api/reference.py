"""Lists that change rarely: states, specialities, how medicines are taken."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from sanjeevani.api.access import PUBLIC
from sanjeevani.api.documentation import says
from sanjeevani.api.door import language
from sanjeevani.api.replies import shared
from sanjeevani.api.types import Reply
from sanjeevani.directory import queries as directory
from sanjeevani.patients.consent import CURRENT_NOTICE, NOTICES
from sanjeevani.terminology import dosage
from sanjeevani.terminology.queries import specialities

router = Router(tags=["Reference"])


class StateReply(Reply):
    """A state or union territory."""

    lgd_code: int
    name: str
    name_hi: str
    languages: list[str]


class States(Reply):
    """All states by name."""

    items: list[StateReply]


class Term(Reply):
    """A code with its name in the reader's language."""

    code: str
    name: str


class Terms(Reply):
    """A list of terms in their order."""

    items: list[Term]


class Dosage(Reply):
    """What a prescription line is made of."""

    forms: list[Term]
    frequencies: list[Term]
    instructions: list[Term]


class Notice(Reply):
    """The notice to read and agree to."""

    version: str
    paragraphs: list[str]


@router.get("/states", auth=PUBLIC, response=States, openapi_extra=says(polled=True))
def list_states(request: HttpRequest) -> HttpResponse:
    """List the states and union territories."""
    return shared(
        request, States(items=[StateReply.model_validate(state) for state in directory.states()])
    )


@router.get("/specialities", auth=PUBLIC, response=Terms, openapi_extra=says(polled=True))
def list_specialities(request: HttpRequest) -> HttpResponse:
    """List the specialities."""
    items = [Term(code=row.code, name=row.name_in(language())) for row in specialities()]
    return shared(request, Terms(items=items))


@router.get("/notice", auth=PUBLIC, response=Notice, openapi_extra=says(polled=True))
def read_notice(request: HttpRequest) -> HttpResponse:
    """Return the notice that patients agree to."""
    paragraphs = [str(paragraph) for paragraph in NOTICES[CURRENT_NOTICE]]
    return shared(request, Notice(version=CURRENT_NOTICE, paragraphs=paragraphs))


@router.get("/dosage", auth=PUBLIC, response=Dosage, openapi_extra=says(polled=True))
def list_dosage(request: HttpRequest) -> HttpResponse:
    """List dosage forms, frequencies and instructions."""
    forms, frequencies, instructions = (
        [Term(code=term.code, name=term.name_in(language())) for term in terms().values()]
        for terms in (dosage.forms, dosage.frequencies, dosage.instructions)
    )
    return shared(request, Dosage(forms=forms, frequencies=frequencies, instructions=instructions))
