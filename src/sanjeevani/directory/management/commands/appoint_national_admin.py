"""The first administrator of a new installation, whom no screen can appoint."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from sanjeevani.directory.models import Facility, FacilityKind, Role
from sanjeevani.directory.services import FacilityDetails, open_facility, open_state
from sanjeevani.directory.staff import NewPerson, appoint
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import DomainError
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.identity.mobiles import parse_mobile


class Command(BaseCommand):
    """`sanjeevani appoint-national-admin`."""

    help = "Appoint a national administrator; the link to choose a password goes by SMS."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take who it is, and the office."""
        parser.add_argument("--name", required=True, help="as it stands on the screens")
        parser.add_argument("--mobile", required=True, help="an Indian mobile number")
        parser.add_argument("--login", default="", help="the user name; made from the name if left")
        parser.add_argument("--office", default="National Telemedicine Cell")
        parser.add_argument("--address", default="New Delhi", help="of a new office")
        parser.add_argument("--district", default="New Delhi", help="of the office")

    def handle(
        self,
        *args: Any,
        name: str,
        mobile: str,
        login: str,
        office: str,
        address: str,
        district: str,
        **options: Any,
    ) -> None:
        """Open the tenant National and its office if need be, and appoint there."""
        try:
            person = NewPerson(
                name=name,
                mobile=parse_mobile(mobile),
                language=settings.LANGUAGE_CODE,
                login=login,
            )
            with transaction.atomic():
                open_state(SYSTEM, state_id=NATIONAL)
                post = appoint(
                    SYSTEM,
                    state_id=NATIONAL,
                    facility_id=self._office(office, address, district).id,
                    role=Role.NATIONAL_ADMIN,
                    person=person,
                )
        except DomainError as refusal:
            raise CommandError(str(refusal.message)) from None
        self.stdout.write(f"Appointed at {post.facility.name}. The invitation is on its way.")

    def _office(self, name: str, address: str, district: str) -> Facility:
        known = Facility.objects.filter(
            state_id=NATIONAL, name=name, district=district, closed_at__isnull=True
        ).first()
        return known or open_facility(
            SYSTEM,
            state_id=NATIONAL,
            details=FacilityDetails(
                name=name, kind=FacilityKind.MINISTRY, address=address, district=district
            ),
        )
