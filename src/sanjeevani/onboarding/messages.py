"""All that an import may say about a file or a row, by its code.

Stored are the code and its parameters, so that everybody reads it in their own language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

MESSAGES = {
    # The file as a whole
    "empty_file": _("This file is empty."),
    "too_large": _("This file is larger than %(megabytes)s MB. Send it in parts."),
    "too_many_rows": _("This file has more than %(rows)s rows. Send it in parts."),
    "too_many_columns": _(
        "Row %(line)s reaches over more than %(columns)s columns. Send only the columns asked for."
    ),
    "not_a_table": _("This is neither a CSV nor an Excel file (.xlsx). Save your table as one."),
    "old_excel": _(
        "This is an old Excel file (.xls), or one with a password. Save it as .xlsx without a"
        " password, or as “CSV UTF-8”."
    ),
    "unreadable_workbook": _(
        "This Excel file is damaged or not a real one. Open it in Excel or LibreOffice and save it"
        " again."
    ),
    "unpacks_too_large": _(
        "This Excel file would unpack to more than %(megabytes)s MB. Save it again, or send it in"
        " parts."
    ),
    "merged_cells": _(
        "Cells are merged: %(cells)s. Separate them, so that every row has its own values."
    ),
    "not_utf8": _(
        "Line %(line)s has letters in an old encoding, which we might read wrongly. Save the file"
        " as “CSV UTF-8” or as .xlsx."
    ),
    "broken_csv": _(
        "The file breaks off or is damaged at line %(line)s: a quotation mark may be missing."
    ),
    "no_known_columns": _(
        "We do not know these columns. The first row must name them. Facilities: %(facilities)s."
        " Hub links: %(hub_links)s. Staff: %(staff)s."
    ),
    "missing_columns": _("These columns are missing: %(columns)s."),
    "column_twice": _("This column is there twice: %(column)s."),
    # Cells
    "empty": _("Nothing is written here."),
    "too_long": _("This is longer than %(length)s characters."),
    "formula": _("This is a formula. Write the value itself: copy, then paste as values."),
    "question_marks": _(
        "Question marks stand where letters were lost. Save the file as “CSV UTF-8” or .xlsx."
    ),
    "shortened_number": _(
        "Excel has shortened this number. Set the column to “Text” and write the number again."
    ),
    "too_many_cells": _("This row has more cells than there are columns."),
    "unknown_state": _("We do not know the state “%(value)s”. Write its name or its LGD code."),
    "needs_state": _("Write the state: its name or its LGD code."),
    "other_state": _("This row is of another state. You can bring in only your own state's."),
    "closed_state": _("%(state)s does not take part yet. A national administrator opens it."),
    "not_yes_no": _("Write “yes” or “no”."),
    "unknown_kind": _("We do not know the kind “%(value)s”. Write one of: %(kinds)s."),
    "unknown_role": _("We do not know the role “%(value)s”. Write one of: %(roles)s."),
    "unknown_speciality": _("We do not know the speciality “%(value)s”."),
    "unknown_language": _("We do not know the language “%(value)s”. Write its code, such as hi."),
    "unknown_gender": _("Write “female”, “male” or “other”."),
    "bad_code": _("A code has only letters, digits and - / . _ without spaces."),
    "bad_login": _("A user name has 3 to 60 letters a to z, digits and . - _ without spaces."),
    "bad_place": _("Write a whole number from 1 to 99."),
    "bad_mobile": _("%(reason)s"),
    "repeats_line": _("This repeats line %(line)s."),
    # Facilities
    "name_taken": _("A facility of this name is registered in this district already."),
    "specialities_need_hub": _("Only a hub has specialities: write “yes” under hub."),
    "facility_differs": _(
        "This facility is there already, with something else under: %(columns)s. It was left as"
        " it is."
    ),
    "facility_closed_since": _("This facility was closed. It stays closed."),
    "no_hub_yet": _("No hub answers this spoke yet."),
    "spokes_without_hub": _("%(count)s spokes in these files have no hub yet."),
    # Hub links
    "unknown_facility": _("There is no facility with the code %(code)s in %(state)s."),
    "closed_facility": _("The facility %(code)s is closed."),
    "not_a_spoke": _("The facility %(code)s is not registered as a spoke."),
    "not_a_hub": _("The facility %(code)s is not registered as a hub."),
    "links_to_itself": _("A facility cannot be its own hub."),
    "leads_back": _(
        "%(hub)s already sends its patients, directly or through others, to %(spoke)s: this would"
        " be a circle."
    ),
    "other_states_hub": _("Only a national administrator links to a hub of another state."),
    "link_differs": _("This link is there already, at place %(place)s. It was left as it is."),
    # Staff
    "role_not_yours": _("You cannot give the role %(role)s by a file."),
    "login_taken": _(
        "Another person has this user name. Choose another one, or write name and mobile number"
        " exactly as they are on file."
    ),
    "login_elsewhere": _(
        "This person works in another state. A national administrator can bring in this row, or"
        " the post can be given by hand."
    ),
    "registered_elsewhere": _("This registration is on the list of %(state)s already."),
    "registered_already": _("This registration is another person's."),
    "other_registration": _("This person is on the list with another registration."),
    "post_ended": _("This post has ended. It was not given again."),
    # The import
    "permission_lost": _(
        "Who asked for this may no longer do it: the post has ended. You can ask for it again."
    ),
    "broke_off": _(
        "Something went wrong on our side, and trying again several times did not help. What is"
        " done so far stays. Let it go on later; if it stops again, tell those who run this service"
        " its number: %(number)s."
    ),
    "in_use": _("This cannot be undone any more: somebody already works with it."),
    "signed_in": _("This cannot be undone any more: somebody has signed in."),
}


@dataclass(frozen=True)
class Remark:
    """Something about one row; `is_error` says that the row is left out because of it."""

    column: str
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    is_error: bool = True


def text_of(code: str, params: Mapping[str, Any]) -> str:
    """Return a message in the language of the reader; parameters may have it in several."""
    language = get_language() or "en"
    return str(MESSAGES[code]) % {
        name: value.get(language, value["en"]) if isinstance(value, Mapping) else value
        for name, value in params.items()
    }
