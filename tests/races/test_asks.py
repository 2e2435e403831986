"""Asking a colleague in, at the same moment from several sides: one effect."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sanjeevani.calls.queries import holds_third
from sanjeevani.consultation.colleagues import come_in, lapse_ask, take_ask_back
from sanjeevani.consultation.errors import AlreadyAsked, AskOver
from sanjeevani.consultation.models import Ask, AskStatus
from sanjeevani.foundation.actor import SYSTEM
from tests.consultation.test_colleagues import Case
from tests.factories import doctor, serving_on
from tests.races.conftest import at_once

pytestmark = pytest.mark.usefixtures("committed")


def test_several_asked_at_once_are_one() -> None:
    case = Case()
    others = [serving_on(case.line) for _ in range(3)]
    asked = at_once([partial(case.ask, one) for one in [case.colleague, *others]], 4, AlreadyAsked)
    assert Counter(type(one) for one in asked) == {Ask: 1, AlreadyAsked: 3}


def test_coming_meets_taking_back() -> None:
    case = Case()
    ask = case.ask()
    come = partial(come_in, case.me, **case.by(ask))
    back = partial(take_ask_back, doctor(case.host), practitioner=case.host, **case.key)
    both: list[Callable[[], Any]] = [come, back]
    came, _back = at_once(both, 2, AskOver, shaken=True)
    expected = AskStatus.WITHDRAWN if isinstance(came, AskOver) else AskStatus.LEFT
    assert case.status(ask) == expected
    assert not holds_third(case.held.room, case.colleague.account_id)


def test_coming_meets_the_end() -> None:
    """No deadlock, and nobody sits in a call that is over."""
    case = Case()
    ask = case.ask()
    both: list[Callable[[], Any]] = [partial(come_in, case.me, **case.by(ask)), case.finish]
    came, _finished = at_once(both, 2, AskOver, shaken=True)
    expected = AskStatus.LAPSED if isinstance(came, AskOver) else AskStatus.LEFT
    assert case.status(ask) == expected
    assert not holds_third(case.held.room, case.colleague.account_id)


def test_two_come_and_the_sweeper() -> None:
    case = Case()
    ask = case.ask()
    Ask.objects.filter(state_id=ask.state_id, id=ask.id).update(answer_by=ask.asked_at)
    come = partial(come_in, case.me, **case.by(ask))
    lapse = partial(lapse_ask, SYSTEM, state_id=ask.state_id, ask_id=ask.id)
    every: list[Callable[[], Any]] = [come, come, lapse]
    first, second, swept = at_once(every, 3, AskOver, shaken=True)
    came = not isinstance(first, AskOver) or not isinstance(second, AskOver)
    assert came == isinstance(swept, AskOver)
    assert case.status(ask) == (AskStatus.PRESENT if came else AskStatus.LAPSED)
