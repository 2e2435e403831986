"""Bringing in facilities, hub links and staff from files: look first, then do it, or take back."""

import csv
import io
import uuid
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sanjeevani.directory.models import Role
from sanjeevani.directory.queries import state as state_by_id
from sanjeevani.foundation.access import takes_files
from sanjeevani.foundation.errors import NotFound
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.onboarding.columns import KINDS
from sanjeevani.onboarding.errors import FileRefused
from sanjeevani.onboarding.messages import text_of
from sanjeevani.onboarding.models import ImportStatus, NetworkImport
from sanjeevani.onboarding.proceeding import AT_WORK
from sanjeevani.onboarding.queries import (
    all_findings,
    findings_of,
    has_accounts,
    import_by_id,
    imports_of,
)
from sanjeevani.onboarding.services import (
    GivenFile,
    ask_invitations,
    ask_undo,
    begin,
    drop,
    resume,
    start_import,
)
from sanjeevani.onboarding.tables import write_findings
from sanjeevani.onboarding.tasks import go_on_soon
from sanjeevani.web.access import PortalRequest, staff
from sanjeevani.web.administration.pages import GOVERNING, get_or_post, see, state_run_by
from sanjeevani.web.onboarding.forms import FilesForm

FINDINGS_SHOWN = 50
ACTS = {"begin": begin, "drop": drop, "undo": ask_undo, "invite": ask_invitations, "resume": resume}


@takes_files
@staff(*GOVERNING)
@get_or_post
def imports(request: PortalRequest) -> HttpResponse:
    """What was brought in before, and the files to bring in now."""
    state_id = NATIONAL if request.post.role == Role.NATIONAL_ADMIN else request.post.state_id
    form = FilesForm(request.POST, request.FILES) if request.method == "POST" else FilesForm()
    if form.is_bound and form.is_valid():
        try:
            started = start_import(
                request.actor,
                state_id=state_id,
                files=[GivenFile(file.name, file) for file in form.cleaned_data["files"]],
            )
        except FileRefused as refused:
            form.add_error("files", str(refused.message))
        else:
            go_on_soon()
            return _see(started)
    context = {
        "form": form,
        "failed": bool(form.errors),
        "imports": imports_of(state_id),
        "kinds": KINDS,
        "kind_words": kind_words,
        "state": state_by_id(state_id),
        "is_national": state_id == NATIONAL,
        "post": request.post,
        "place": "files",
    }
    return render(request, "onboarding/list.html", context, status=422 if form.errors else 200)


@staff(*GOVERNING)
@get_or_post
def one(request: PortalRequest, state_id: int, import_id: uuid.UUID) -> HttpResponse:
    """How far an import is, what it found, and what can be done next."""
    shown = _own(request, state_id, import_id)
    if request.method == "POST":
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise NotFound
        act(request.actor, state_id=state_id, import_id=import_id)
        go_on_soon()
        return _see(shown)
    number = request.GET.get("page", "1")
    page = max(1, int(number[:6])) if number.isdecimal() else 1
    found = findings_of(shown, start=(page - 1) * FINDINGS_SHOWN, size=FINDINGS_SHOWN)
    is_inviting = shown.invites_asked_at is not None and not shown.invites_done
    context: dict[str, Any] = {
        "shown": shown,
        "kind_words": kind_words,
        "found": found,
        "kinds": KINDS,
        "page": page,
        "pages": -(-found.count // FINDINGS_SHOWN),
        "is_at_work": shown.status in AT_WORK or is_inviting,
        "is_inviting": is_inviting,
        "refusal": text_of(**shown.refusal) if shown.refusal else "",
        "can_resume": shown.status == ImportStatus.STOPPED and bool(shown.goes_on_as),
        "can_invite": shown.status == ImportStatus.DONE
        and shown.invites_asked_at is None
        and has_accounts(shown),
        "new": sum(counts["new"] for counts in shown.counts.values()),
        "post": request.post,
        "place": "files",
    }
    return render(request, "onboarding/one.html", context)


@staff(*GOVERNING)
@require_safe
def findings(request: PortalRequest, state_id: int, import_id: uuid.UUID) -> HttpResponseBase:
    """All findings as a file, in the language of the page."""
    shown = _own(request, state_id, import_id)
    lines = write_findings(all_findings(shown))
    language = translation.get_language()

    def written() -> Any:
        # The answer is sent after the request's language has been put away.
        yield "\ufeff"
        while True:
            with translation.override(language):
                line = next(lines, None)
            if line is None:
                return
            yield line

    answer = StreamingHttpResponse(written(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="findings.csv"'
    return answer


@staff(*GOVERNING)
@require_safe
def empty_table(request: PortalRequest, kind: str) -> HttpResponse:
    """A table with the names of the columns only, to fill in."""
    if kind not in KINDS:
        raise NotFound
    text = io.StringIO()
    csv.writer(text).writerow(column.name for column in KINDS[kind])
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return answer


def kind_words(kind: str) -> str:
    """Name a kind of table."""
    return {
        "facilities": _("Facilities"),
        "hub_links": _("Hub links"),
        "staff": _("Staff"),
    }[kind]


def _own(request: PortalRequest, state_id: int, import_id: uuid.UUID) -> NetworkImport:
    state_run_by(request, state_id)
    return import_by_id(state_id, import_id)


def _see(shown: NetworkImport) -> HttpResponse:
    return see(reverse("onboarding:one", args=[shown.state_id, shown.id]))
