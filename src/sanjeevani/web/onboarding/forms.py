"""The files of an import."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.web.fields import PlainForm

MOST_FILES = 6


class SeveralFiles(forms.ClearableFileInput):
    """A file field that takes several."""

    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """Some files, each as Django uploads them."""

    widget = SeveralFiles(attrs={"accept": ".csv,.tsv,.txt,.xlsx"})

    def clean(self, data: Any, initial: Any = None) -> Any:
        given = data if isinstance(data, list | tuple) else [data]
        cleaned = [super(SeveralFilesField, self).clean(one, initial) for one in given or [None]]
        if len(cleaned) > MOST_FILES:
            raise forms.ValidationError(
                _("Choose at most %(count)s files."), params={"count": MOST_FILES}
            )
        return cleaned


class FilesForm(PlainForm):
    """What to bring in."""

    # A form's own `files`, what was sent, is set on the instance and hides nothing of this.
    files = SeveralFilesField(  # type: ignore[assignment]
        label=_("Files"),
        help_text=_("CSV or Excel (.xlsx), several at once if you like."),
        error_messages={
            "required": _("Choose at least one file."),
            "empty": _("This file is empty."),
        },
    )
