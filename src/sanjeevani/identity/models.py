"""Accounts, what they sign in with, and their sessions."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import KeyedModel


class AccountKind(models.TextChoices):
    """Who signs in: patients by mobile and code, staff by user name and password."""

    PATIENT = "patient", _("Patient")
    STAFF = "staff", _("Staff")


class Account(KeyedModel):
    """A person who signs in. What the person may do comes from posts and relations."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=7, choices=AccountKind.choices)
    login = models.CharField(max_length=60)
    mobile = models.CharField(max_length=16, blank=True)
    password = models.CharField(max_length=200, blank=True)
    display_name = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=3)
    home_state_id = models.SmallIntegerField(null=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    # When a patient last signed in, to the day; null where staff registered who never did.
    last_entered_at = models.DateTimeField(null=True)


class Login(KeyedModel):
    """Gives a login to one account nation-wide, where no other table could be unique on it."""

    key = models.CharField(max_length=70, primary_key=True)
    """Kind and login: `patient:+919876543210`, `staff:asha.devi`."""
    account_id = models.UUIDField()


class OneTimeCode(KeyedModel):
    """A code that was sent to a mobile. Its id stays in the browser that asked for it.

    A guess needs both, so nobody can use up the tries of someone else's code.
    """

    id = models.UUIDField(primary_key=True)
    mobile = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # Until then its browser may show that the records of the mobile's account are its owner's.
    proof_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="code_by_expiry")]


class Invitation(KeyedModel):
    """A link by which a member of staff sets a password. Only its digest is stored."""

    digest = models.CharField(max_length=64, primary_key=True)
    account_id = models.UUIDField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["account_id"], name="invitation_by_account"),
            models.Index(fields=["expires_at"], name="invitation_by_expiry"),
        ]


class Session(KeyedModel):
    """A signed-in browser, with everything a request needs to know: its check is one query."""

    digest = models.CharField(max_length=64, primary_key=True)
    # For the list of devices: the digest itself never leaves the server.
    id = models.UUIDField(default=uuid7)
    account_id = models.UUIDField()
    kind = models.CharField(max_length=7, choices=AccountKind.choices)
    display_name = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=3)
    home_state_id = models.SmallIntegerField(null=True)
    post_state_id = models.SmallIntegerField(null=True)
    post_id = models.UUIDField(null=True)
    device = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["account_id"], name="session_by_account"),
            models.Index(fields=["expires_at"], name="session_by_expiry"),
        ]


class AttemptCounter(KeyedModel):
    """How often something was tried in the running window of time."""

    key = models.CharField(max_length=120, primary_key=True)
    """The limit's name, and a digest of the mobile, user name or address."""
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="attempts_by_expiry")]
