"""A new installation gets its first administrator from the command line."""

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from sanjeevani.directory.models import Facility, Post, Role
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.messaging.models import OutgoingMessage
from tests.factories import StateFactory

pytestmark = pytest.mark.django_db


def appoint(**more: str) -> None:
    call_command("appoint_national_admin", name="Asha Devi", mobile="98765 43210", **more)


def test_it_opens_the_office_and_sends_the_link() -> None:
    StateFactory(lgd_code=NATIONAL, iso_3166_2="IN")
    appoint()
    post = Post.objects.get(state_id=NATIONAL)
    assert post.role == Role.NATIONAL_ADMIN
    message = OutgoingMessage.objects.get()
    assert message.mobile == "+919876543210"
    assert "/staff/welcome/" in message.text


def test_the_second_one_sits_in_the_same_office() -> None:
    StateFactory(lgd_code=NATIONAL, iso_3166_2="IN")
    appoint()
    appoint(login="second.admin")
    assert Facility.objects.filter(state_id=NATIONAL).count() == 1
    assert Post.objects.filter(state_id=NATIONAL).count() == 2


def test_a_login_that_is_taken_leaves_nothing_behind() -> None:
    StateFactory(lgd_code=NATIONAL, iso_3166_2="IN")
    appoint(login="asha")
    with pytest.raises(CommandError):
        appoint(login="asha", office="Another office")
    assert Facility.objects.filter(state_id=NATIONAL).count() == 1
