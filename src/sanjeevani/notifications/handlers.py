"""The SMS that tells those who answer complaints how many wait. Never what they say, nor whose."""

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor
from sanjeevani.foundation.sweeping import to_each
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.grievance.queries import Waiting, handlers_to_tell, waiting_for_account
from sanjeevani.grievance.services import note_told
from sanjeevani.identity.models import Account
from sanjeevani.identity.queries import accounts_by_id
from sanjeevani.messaging.services import queue_message
from sanjeevani.notifications.daylight import REMINDERS


def tell_handlers() -> None:
    """Tell everybody for whom complaints are new, due soon or overdue; each once a day."""
    if not REMINDERS.holds(clock.now()):
        return
    accounts = accounts_by_id(handlers_to_tell(clock.today()))
    # Whoever never chose a password cannot read them: others of the state are told as well.
    to_each(
        [one for one in accounts.values() if one.is_active and one.mobile and one.password],
        _tell_if_any,
        "tell_handlers",
    )


def _tell_if_any(account: Account) -> None:
    waiting = waiting_for_account(account.id)
    if waiting.new or waiting.soon or waiting.overdue:
        tell_handler(SYSTEM, account=account, waiting=waiting)


@verb("notifications.tell_handler")
def tell_handler(actor: Actor, *, account: Account, waiting: Waiting) -> None:
    """Queue a message to somebody who answers complaints, in their language; once a day."""
    is_first = note_told(actor, account_id=account.id)
    concerns(account)
    if not is_first:
        return
    with translation.override(account.language):
        text = _(
            "Complaints that wait for you: %(new)s new, %(soon)s due within a day,"
            " %(overdue)s overdue. Read them here:"
        ) % {"new": waiting.new, "soon": waiting.soon, "overdue": waiting.overdue}
    queue_message(
        account.mobile,
        f"{text} {settings.PUBLIC_URL}/grievances",
        purpose="grievances_waiting",
        language=account.language,
        # At night nobody is told, nor by a message that was held up.
        valid_for=REMINDERS.evening(clock.now()) - clock.now(),
    )
