"""Signing in and out: patients by a code on their mobile, staff by password and post."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.middleware.csrf import rotate_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sanjeevani.directory.models import Post, Role
from sanjeevani.directory.queries import posts_of
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import DomainError, NotFound, NotPermitted, TooMany
from sanjeevani.identity import queries, services
from sanjeevani.identity.errors import CodeDead, InvitationDead, ProofNeeded
from sanjeevani.identity.models import Account, OneTimeCode
from sanjeevani.patients import handover
from sanjeevani.web.access import (
    SESSION_COOKIE,
    PortalRequest,
    clear_session_cookie,
    public,
    safe_path,
    set_session_cookie,
    signed_in,
    staff_account,
)
from sanjeevani.web.jinja import duration
from sanjeevani.web.sign_in.devices import device_name
from sanjeevani.web.sign_in.forms import (
    CodeForm,
    MobileForm,
    PasswordForm,
    PostForm,
    ProofForm,
    StaffForm,
    WelcomeForm,
)

CHALLENGE_COOKIE = "challenge"
PATIENT_HOME = "patient:people"
FIRST_QUESTION = "patient:start"
STAFF_HOMES = {
    Role.DOCTOR: "doctor:desk",
    Role.SPECIALIST: "doctor:desk",
    Role.HEALTH_WORKER: "spoke:desk",
    Role.PHARMACIST: "spoke:counter",
    Role.OBSERVER: "observer:state",
    Role.FACILITY_ADMIN: "facility:own",
    Role.STATE_ADMIN: "state:own",
    Role.NATIONAL_ADMIN: "national:states",
}

get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@public
@get_or_post
def mobile(request: PortalRequest) -> HttpResponse:
    """Ask for the mobile number and send a code to it."""
    session = request.session_info
    if session is not None and not session.is_staff:
        return _redirect(_next(request) or reverse(PATIENT_HOME))
    form = MobileForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["mobile"]
        sent = _sent_code(request)
        if sent is not None and sent.mobile == number and services.seconds_until_resend(sent):
            # Back and Continue: the code is on its way already.
            return _redirect(_with_next(request, "sign-in:code"))
        try:
            return _send_code(request, number)
        except DomainError as error:
            return _show(request, "mobile", form, error)
    return _show(request, "mobile", form)


@public
@get_or_post
def code(request: PortalRequest) -> HttpResponse:
    """Ask for the code and sign the patient in."""
    sent = _sent_code(request)
    if sent is None:
        return _redirect(_with_next(request, "sign-in:mobile"))
    wait = request.GET.get("wait", "")
    if request.method != "POST" and wait.isdecimal() and len(wait) <= 5:
        return _show(request, "code", CodeForm(data={}), TooMany(int(wait)), sent=sent)
    form = CodeForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            signed = handover.sign_in(
                request.actor,
                challenge=sent.id,
                code=form.cleaned_data["code"],
                language=_language(),
                **_browser(request),
            )
        except ProofNeeded:
            return _redirect(_with_next(request, "sign-in:proof"))
        except DomainError as error:
            return _show(request, "code", form, error, sent=sent)
        return _let_patient_in(request, signed)
    return _show(request, "code", form, sent=sent)


@public
@get_or_post
def proof(request: PortalRequest) -> HttpResponse:
    """Ask how old somebody is who is registered with a mobile that may have changed hands."""
    sent = _sent_code(request)
    if sent is None or not services.waits_for_proof(sent):
        return _redirect(_with_next(request, "sign-in:mobile"))
    form = ProofForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            signed = handover.prove(
                request.actor,
                challenge=sent.id,
                birth_year=form.cleaned_data["age"],
                **_browser(request),
            )
        except DomainError as error:
            return _show(request, "proof", form, error, sent=sent)
        return _let_patient_in(request, signed)
    return _show(request, "proof", form, sent=sent)


@public
@require_POST
def anew(request: PortalRequest) -> HttpResponse:
    """Begin with nothing: the mobile has changed hands."""
    sent = _sent_code(request)
    try:
        signed = services.begin_anew(
            request.actor,
            challenge=sent.id if sent else uuid.UUID(int=0),
            language=_language(),
            **_browser(request),
        )
    except CodeDead:
        return _redirect(_with_next(request, "sign-in:mobile"))
    return _let_patient_in(request, signed)


def _browser(request: PortalRequest) -> dict[str, Any]:
    return {"device": _device(request), "replaces": request.COOKIES.get(SESSION_COOKIE)}


def _let_patient_in(request: PortalRequest, signed: services.SignedIn) -> HttpResponse:
    # Straight to the first question: on a poor line every redirection takes a second.
    home = FIRST_QUESTION if signed.session.home_state_id is None else PATIENT_HOME
    response = _redirect(_next(request) or reverse(home))
    response.delete_cookie(CHALLENGE_COOKIE, path=reverse("sign-in:mobile"), samesite="Lax")
    return _let_in(request, response, signed)


@public
@get_or_post
def resend(request: PortalRequest) -> HttpResponse:
    """Send another code to the same mobile. Whoever only looks is led to the page of the code."""
    sent = _sent_code(request)
    if sent is None:
        return _redirect(_with_next(request, "sign-in:mobile"))
    if request.method != "POST":
        return _redirect(_with_next(request, "sign-in:code"))
    try:
        return _send_code(request, sent.mobile)
    except TooMany as error:
        # Said on a page that the browser's Back and reload can fetch again.
        return _redirect(_with_next(request, "sign-in:code", wait=str(error.retry_after)))


def _send_code(request: PortalRequest, number: str) -> HttpResponse:
    challenge = services.request_code(request.actor, mobile=number, language=_language())
    response = _redirect(_with_next(request, "sign-in:code"))
    response.set_cookie(
        CHALLENGE_COOKIE,
        str(challenge),
        max_age=services.CODE_KEPT,
        path=reverse("sign-in:mobile"),
        httponly=True,
        secure=settings.SECURE_COOKIES,
        samesite="Lax",
    )
    return response


def _sent_code(request: PortalRequest) -> OneTimeCode | None:
    try:
        challenge = uuid.UUID(request.COOKIES.get(CHALLENGE_COOKIE, ""))
    except ValueError:
        return None
    return queries.find_code(challenge)


@public
@get_or_post
def staff(request: PortalRequest) -> HttpResponse:
    """Sign staff in; with one post they act in it at once, with several they choose."""
    form = StaffForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            signed = services.sign_in_staff(
                request.actor,
                login=form.cleaned_data["login"],
                password=form.cleaned_data["password"],
                device=_device(request),
                replaces=request.COOKIES.get(SESSION_COOKIE),
            )
        except DomainError as error:
            return _show(request, "staff", form, error)
        return _begin_work(request, signed)
    return _show(request, "staff", form)


@public
@get_or_post
def welcome(request: PortalRequest, token: str) -> HttpResponse:
    """Let a member of staff choose a password by the link that was sent, and begin to work."""
    invited = queries.invited_account(token)
    form = WelcomeForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["password"]
        try:
            services.accept_invitation(request.actor, token=token, password=password)
            signed = services.sign_in_staff(
                request.actor,
                login=invited.login,
                password=password,
                device=_device(request),
                replaces=request.COOKIES.get(SESSION_COOKIE),
            )
        except InvitationDead:
            raise
        except DomainError as error:
            return _show(request, "welcome", form, error, invited=invited)
        return _begin_work(request, signed)
    return _show(request, "welcome", form, invited=invited)


def _begin_work(request: PortalRequest, signed: services.SignedIn) -> HttpResponse:
    """Let staff in: into their one post, or to the choice of one."""
    posts = posts_of(signed.session.account_id)
    if len(posts) == 1:
        actor = queries.actor_of(signed.session, request.actor.address)
        response = _enter(request, actor, signed.session, posts[0])
    else:
        response = _redirect(_with_next(request, "sign-in:post"))
    return _let_in(request, response, signed)


@staff_account
@get_or_post
def post(request: PortalRequest) -> HttpResponse:
    """Let staff choose the post that they act in."""
    session = _session(request)
    posts = posts_of(session.account_id)
    initial = {"post": str(session.post_id)} if session.post_id else None
    form = PostForm(_sent(request), posts=posts, initial=initial)
    if request.method == "POST" and form.is_valid():
        return _enter(request, request.actor, session, form.chosen())
    return _show(request, "post", form)


def _enter(
    request: PortalRequest, actor: Actor, session: queries.SessionInfo, chosen: Post
) -> HttpResponse:
    services.choose_post(actor, session=session, post_state_id=chosen.state_id, post_id=chosen.id)
    home = reverse(STAFF_HOMES.get(Role(chosen.role), "sign-in:account"))
    return _redirect(_next(request) or home)


@signed_in
@require_http_methods(["GET", "HEAD"])
def account(request: PortalRequest) -> HttpResponse:
    """Show who is signed in, and on which devices."""
    session = _session(request)
    context = {
        "account": queries.find_account(session.account_id),
        "session": session,
        "sessions": queries.sessions_of(session.account_id),
    }
    return render(request, "sign_in/account.html", context)


@signed_in
@get_or_post
def password(request: PortalRequest) -> HttpResponse:
    """Change the password of staff. All devices are signed out, this one too."""
    session = _session(request)
    if not session.is_staff:
        raise NotPermitted
    form = PasswordForm(_sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            services.change_password(
                request.actor, account_id=session.account_id, **form.cleaned_data
            )
        except DomainError as error:
            return _show(request, "password", form, error)
        return _let_out(request, "sign-in:staff", changed="password")
    return _show(request, "password", form)


@public
@require_POST
def out(request: PortalRequest) -> HttpResponse:
    """Sign out on this browser; without a session there is nothing left to do."""
    session = request.session_info
    if session is not None:
        services.sign_out(request.actor, account_id=session.account_id, session_id=session.id)
    return _let_out(request, "sign-in:staff" if session and session.is_staff else None)


@signed_in
@require_POST
def out_device(request: PortalRequest, session_id: uuid.UUID) -> HttpResponse:
    """Sign out on another device."""
    session = _session(request)
    services.sign_out(request.actor, account_id=session.account_id, session_id=session_id)
    if session_id == session.id:
        return _let_out(request, None)
    return _redirect(reverse("sign-in:account"))


@signed_in
@require_POST
def out_everywhere(request: PortalRequest) -> HttpResponse:
    """Sign out on all devices."""
    session = _session(request)
    services.sign_out_everywhere(request.actor, account_id=session.account_id)
    return _let_out(request, "sign-in:staff" if session.is_staff else None)


def _let_in(
    request: PortalRequest, response: HttpResponse, signed: services.SignedIn
) -> HttpResponse:
    rotate_token(request)
    set_session_cookie(response, signed.token, is_staff=signed.session.is_staff)
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        set_language_cookie(response, signed.session.language)
    return response


def _let_out(request: PortalRequest, route: str | None, **query: str) -> HttpResponse:
    rotate_token(request)
    address = reverse(route) if route else "/"
    response = _redirect(f"{address}?{urlencode(query)}" if query else address)
    clear_session_cookie(response)
    return response


def set_language_cookie(response: HttpResponse, language: str) -> None:
    """Let the browser remember the language that its reader chose."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.SECURE_COOKIES,
        samesite="Lax",
    )


def _show(
    request: PortalRequest,
    name: str,
    form: forms.Form,
    error: DomainError | None = None,
    *,
    sent: OneTimeCode | None = None,
    invited: Account | None = None,
) -> HttpResponse:
    """Render a form, with the error of a verb beside its field and as the status."""
    if error is not None:
        _explain(form, error)
    status = error.status if error is not None else 422 if form.errors else 200
    context = {
        "form": form,
        "sent": sent,
        "invited": invited,
        "wait": services.seconds_until_resend(sent) if sent is not None else 0,
        "query": urlencode({"next": path}) if (path := _next(request)) else "",
        "changed": request.GET.get("changed"),
        "inbox": _inbox_of(sent) if sent is not None else None,
    }
    response = render(request, f"sign_in/{name}.html", context, status=status)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _explain(form: forms.Form, error: DomainError) -> None:
    message = str(error.message)
    if isinstance(error, TooMany):
        message = _("This was tried too often. Please try again in %(time)s.") % {
            "time": duration(error.retry_after)
        }
    if not form.is_bound or not form.data:
        # A button without fields was pressed: only the verb's answer counts.
        form.full_clean()
        form.errors.clear()
    field = error.field if error.field in form.fields else next(iter(form.fields))
    form.add_error(field, message)


def _sent(request: PortalRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _inbox_of(sent: OneTimeCode) -> str | None:
    """Return where a developer reads the code; nothing where SMS really leave."""
    if not settings.DEVELOPMENT_INBOX:
        return None
    return f"{reverse('inbox:list')}?{urlencode({'mobile': sent.mobile})}"


def _session(request: PortalRequest) -> queries.SessionInfo:
    if request.session_info is None:
        raise NotFound
    return request.session_info


def _next(request: PortalRequest) -> str | None:
    return safe_path(request.GET.get("next"))


def _with_next(request: PortalRequest, route: str, **query: str) -> str:
    if path := _next(request):
        query["next"] = path
    return f"{reverse(route)}?{urlencode(query)}" if query else reverse(route)


def _redirect(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=303)


def _language() -> str:
    return get_language() or settings.LANGUAGE_CODE


def _device(request: PortalRequest) -> str:
    return device_name(request.headers.get("User-Agent", ""))
