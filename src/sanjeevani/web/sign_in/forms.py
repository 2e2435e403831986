"""The forms at the door."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sanjeevani.directory.models import Post
from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import latin_digits, parse_mobile
from sanjeevani.identity.services import CODE_DIGITS, LONGEST_PASSWORD
from sanjeevani.patients.services import OLDEST_YEARS
from sanjeevani.web.fields import PlainForm


class MobileField(forms.CharField):
    """An Indian mobile number; the cleaned value is E.164."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel-national"})

    def to_python(self, value: Any) -> str:
        """Read what was typed; every wrong form has its own message."""
        text = super().to_python(value)
        if not text:
            return ""
        try:
            return parse_mobile(text)
        except Invalid as error:
            raise forms.ValidationError(str(error.message), code="mobile") from None


class CodeField(forms.CharField):
    """The code of a message: digits of any script, however they are grouped."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"})

    def to_python(self, value: Any) -> str:
        """Return the six digits."""
        text = super().to_python(value)
        if not text:
            return ""
        digits = re.sub(r"[\s-]", "", latin_digits(text[:40]))
        if not re.fullmatch(rf"[0-9]{{{CODE_DIGITS}}}", digits):
            raise forms.ValidationError(
                _("The code has 6 digits. Enter them as they stand in the message."), code="code"
            )
        return digits


class PasswordField(forms.CharField):
    """A password as it was typed: spaces count."""

    def __init__(self, *, autocomplete: str, **kwargs: Any) -> None:
        super().__init__(
            strip=False,
            max_length=LONGEST_PASSWORD,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
            error_messages={"max_length": _("A password has at most 200 characters.")},
            **kwargs,
        )


class MobileForm(PlainForm):
    """Who wants to sign in."""

    mobile = MobileField(
        label=_("What is your mobile number?"),
        help_text=_("We send a code to it by SMS. 10 digits, like 98765 43210."),
        error_messages={"required": _("Enter your mobile number.")},
    )


class ProofForm(PlainForm):
    """How old somebody is; the cleaned value is the year of birth."""

    age = forms.CharField(
        label=_("How old is one of the people who are registered with this number?"),
        help_text=_("In years, like 42, or the year of birth, like 1984."),
        error_messages={"required": _("Enter an age or a year of birth.")},
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_age(self) -> int:
        """Return the year of birth."""
        typed = latin_digits(self.cleaned_data["age"]).strip()
        this_year = clock.today().year
        number = int(typed) if re.fullmatch(r"[0-9]{1,4}", typed) else -1
        if 0 <= number <= OLDEST_YEARS:
            return this_year - number
        if this_year - OLDEST_YEARS <= number <= this_year:
            return number
        raise forms.ValidationError(_("Enter an age in years, like 42, or a year, like 1984."))


class CodeForm(PlainForm):
    """The code that was sent."""

    code = CodeField(
        label=_("Code from the SMS"),
        help_text=_("6 digits. It works for 5 minutes."),
        error_messages={"required": _("Enter the code from the SMS.")},
    )


class StaffForm(PlainForm):
    """Staff's user name and password."""

    login = forms.CharField(
        label=_("User name"),
        max_length=60,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={
            "max_length": _("A user name has at most 60 characters."),
        },
    )
    password = PasswordField(label=_("Password"), autocomplete="current-password")


NEW_PASSWORD = _("At least 10 characters. Three or four words that only you put together.")


class WelcomeForm(PlainForm):
    """The first password, or a new one by a link."""

    password = PasswordField(
        label=_("Choose a password"), help_text=NEW_PASSWORD, autocomplete="new-password"
    )


class PasswordForm(PlainForm):
    """The present password and a new one."""

    current = PasswordField(label=_("Your present password"), autocomplete="current-password")
    password = PasswordField(
        label=_("The new password"),
        help_text=NEW_PASSWORD,
        autocomplete="new-password",
    )


class PostForm(PlainForm):
    """The post to act in, one of the account's own."""

    post = forms.ChoiceField(
        label=_("Where do you work now?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose where you work now.")},
    )

    def __init__(self, *args: Any, posts: Sequence[Post], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.posts = {str(post.id): post for post in posts}
        field = self.fields["post"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                (key, f"{post.get_role_display()}, {post.facility.name}")
                for key, post in self.posts.items()
            ]

    def chosen(self) -> Post:
        """Return the chosen post of a valid form."""
        return self.posts[self.cleaned_data["post"]]
