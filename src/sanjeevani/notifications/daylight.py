"""When people are told what can wait: by day in India."""

import datetime
from dataclasses import dataclass

from django.utils.timezone import localtime


@dataclass(frozen=True)
class Daylight:
    """The hours of a day, `since` included and `until` not, in which something is told."""

    since: int
    until: int

    def holds(self, at: datetime.datetime) -> bool:
        """Tell whether it is day."""
        return self.since <= localtime(at).hour < self.until

    def next(self, at: datetime.datetime) -> datetime.datetime:
        """Return this moment, or the next morning for one at night."""
        local = localtime(at)
        if self.holds(at):
            return at
        morning = local.replace(hour=self.since, minute=0, second=0, microsecond=0)
        return morning if local.hour < self.since else morning + datetime.timedelta(days=1)

    def evening(self, at: datetime.datetime) -> datetime.datetime:
        """Return the end of this moment's day."""
        return localtime(at).replace(hour=self.until, minute=0, second=0, microsecond=0)


REMINDERS = Daylight(9, 19)
"""What was no question of the reader's: at night nobody is told."""

ANSWERS = Daylight(7, 21)
"""What was asked: an answer in the evening may be about the dose of tonight."""
