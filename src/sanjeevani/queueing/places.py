"""Changing how many places a line has, while they are being given away."""

import uuid

from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Line, LineKind
from sanjeevani.directory.permissions import require_facility_admin
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.foundation.verbs import concerns, verb
from sanjeevani.queueing.models import LineDay


@verb("queueing.set_places")
def set_places(
    actor: Actor, *, state_id: int, line_id: uuid.UUID, places_per_day: int, waiting_places: int
) -> Line:
    """Set a line's places a day and in the waiting room, from this moment on.

    Raises Invalid for fewer places than patients hold today: nobody loses a place that was given.
    """
    line = Line.objects.filter(state_id=state_id, id=line_id, closed_at__isnull=True).first()
    if line is None:
        raise NotFound
    require_facility_admin(actor, state_id, line.facility_id)
    for field, number in (("places_per_day", places_per_day), ("waiting_places", waiting_places)):
        if number < 1:
            raise Invalid(_("Enter a number above 0."), field=field)
    # The lock that giving a place takes: the number that is compared does not move meanwhile.
    today = (
        LineDay.objects.select_for_update()
        .filter(state_id=state_id, line_id=line_id, day=clock.today())
        .first()
    )
    taken = today.taken if today else 0
    if places_per_day < taken:
        raise Invalid(
            _("%(taken)d places of today are taken. Enter at least that number.")
            % {"taken": taken},
            field="places_per_day",
        )
    Line.objects.filter(state_id=state_id, id=line_id).update(
        places_per_day=places_per_day, waiting_places=waiting_places
    )
    # Written requests are taken beside the line, as many as it has places a day.
    Line.objects.filter(state_id=state_id, parent_id=line_id, kind=LineKind.WRITTEN).update(
        places_per_day=places_per_day, waiting_places=places_per_day
    )
    concerns(line)
    return line
