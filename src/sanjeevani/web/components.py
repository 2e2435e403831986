"""Django's forms in the words of the GOV.UK macros: which macro draws a field, with what.

Templates call these through `components/forms.html`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.forms.boundfield import BoundField
from django.forms.utils import flatatt
from django.utils.translation import gettext as _
from jinja2 import pass_context
from jinja2.runtime import Context, Macro
from markupsafe import Markup

from sanjeevani.web.fields import DateParts
from sanjeevani.web.icons import icon

# Attributes that Django derives from validators. The browser would act on them in its own words
# and language, or cut off what is pasted without a word: our messages say what is wrong.
DERIVED = frozenset({"maxlength", "minlength", "min", "max", "step", "required", "aria-invalid"})
# What the macros take as arguments of their own.
ARGUMENTS = ("autocomplete", "inputmode", "pattern", "spellcheck", "autocapitalize", "rows")
DJANGOS_ROWS = "10"
"""What Django gives every textarea; a form that says how many it wants says a number."""
LEGEND = {"label": "govuk-label--", "legend": "govuk-fieldset__legend--"}


@dataclass(frozen=True)
class _Drawing:
    key: str
    macro: Macro = field(compare=False)
    params: Mapping[str, Any] = field(compare=False)


@lru_cache(maxsize=1024)
def _drawn(drawing: _Drawing) -> Markup:
    return Markup(drawing.macro(drawing.params))  # noqa: S704 # the macro has escaped what it was given


def draw(macro: Macro, params: Mapping[str, Any]) -> Markup:
    """Return what a GOV.UK macro makes of its parameters, once for the same ones.

    An empty form looks the same to everybody, and its macros took a tenth of the server's time.
    What somebody typed is drawn anew and not kept.
    """
    drawing = _Drawing(repr((macro.name, params)), macro, params)
    typed = params.get("value") or params.get("errorMessage")
    if macro.name == "govukDateInput":
        typed = typed or any(part["value"] for part in params["items"])
    return _drawn.__wrapped__(drawing) if typed else _drawn(drawing)


class Component(NamedTuple):
    """A GOV.UK macro's name without its prefix, and its parameters."""

    kind: str
    params: dict[str, Any]


@pass_context
def form_open(
    context: Context,
    action: str = "",
    *,
    method: str = "post",
    files: bool = False,
    **attributes: str | bool | None,
) -> Markup:
    """Open a form, with the CSRF token when it posts; templates close it with `</form>`.

    `files=True` lets it carry uploads. Attributes: `id`, `class_`, `data_x` for `data-x`.
    Call it from a page, not from a macro imported without context: it needs the page's request.
    """
    given: dict[str, str | bool | None] = {"method": method, "action": action or None}
    if files:
        given["enctype"] = "multipart/form-data"
    if method == "post":
        # Whose it is: `typed.js` gives nobody else what was typed into it.
        actor = getattr(context["request"], "actor", None)
        given["data-reader"] = str(actor.account_id or "") if actor else ""
    given |= {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    # The page's own messages, in the reader's language, instead of the browser's.
    opening = Markup(f"<form{flatatt(given)} novalidate>")  # noqa: S704 - `flatatt` has escaped it
    if method != "post":
        return opening
    return opening + _csrf_input(context)


def _csrf_input(context: Context) -> Markup:
    """Return Django's hidden input, the same for all forms of a page: each would cost a new one."""
    request = context["request"]
    if not hasattr(request, "csrf_input"):
        request.csrf_input = Markup(context["csrf_input"])  # noqa: S704 - Django's own input
    made: Markup = request.csrf_input
    return made


def component(
    form: forms.BaseForm,
    name: str,
    *,
    heading: bool = False,
    size: str = "",
    hint: str | None = None,
    classes: str = "",
    width: int | None = None,
    prefix: str = "",
    suffix: str = "",
    inline: bool = False,
    pictures: Mapping[str, str] | None = None,
    hints: Mapping[str, str] | None = None,
    rows: bool = False,
    **attributes: str,
) -> Component:
    """Return the macro and parameters that draw one field of a form; raise KeyError if unknown.

    - `heading`: the label is the page's h1. `size`: "s", "m" or "l" for the label.
    - `hint` replaces the field's help text. `prefix`, `suffix`: units beside the input.
    - `width`: 2, 4, 5, 10 or 20 characters. `inline`: radios side by side.
    - `pictures`: value of a choice to the name of an icon: choices become tiles; `rows=True` makes
      the tiles lie one below the other. `hints`: value of a choice to its hint.
    - Other keywords are attributes of the input: `autocomplete`, `inputmode`, `data_key`, ...
    """
    bound = form[name]
    widget = bound.field.widget
    given = {key.replace("_", "-"): value for key, value in attributes.items()}
    attrs = {key: value for key, value in widget.attrs.items() if key not in DERIVED} | given
    params: dict[str, Any] = {
        "id": bound.auto_id,
        "name": bound.html_name,
        "classes": " ".join(filter(None, [classes, attrs.pop("class", "")])),
    }
    for argument in ARGUMENTS:
        if argument in attrs:
            params[argument] = attrs.pop(argument)
    params["attributes"] = attrs
    if text := hint if hint is not None else str(bound.help_text):
        params["hint"] = {"text": text}
    if bound.errors:
        # Screen readers hear "Error:"; the macro's default is English.
        params["errorMessage"] = {"text": bound.errors[0], "visuallyHiddenText": _("Error")}

    if isinstance(widget, DateParts):
        return _date(bound, widget, params, heading, size)
    if isinstance(widget, forms.CheckboxInput):
        return _single_checkbox(bound, params)
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return _choices(bound, params, heading, size, inline, pictures, hints, rows)

    params["label"] = _caption("label", bound, heading, size)
    value = bound.value()
    if isinstance(widget, forms.ClearableFileInput | forms.FileInput):
        params["multiple"] = getattr(widget, "allow_multiple_selected", False)
        return Component("file-upload", params)
    if isinstance(widget, forms.Textarea):
        params["attributes"].pop("cols", None)
        if params.get("rows") == DJANGOS_ROWS:
            params["rows"] = 5
        params["value"] = "" if value is None else str(value)
        return Component("textarea", params)
    if isinstance(widget, forms.Select):
        params["items"] = _options(bound)
        return Component("select", params)

    params["type"] = _input_type(widget)
    if isinstance(widget, forms.NumberInput):
        whole = isinstance(bound.field, forms.IntegerField) and not isinstance(
            bound.field, forms.FloatField | forms.DecimalField
        )
        params.setdefault("inputmode", "numeric" if whole else "decimal")
    if params["type"] == "tel":
        params.setdefault("inputmode", "numeric")
    if value is not None and params["type"] != "password":
        params["value"] = str(widget.format_value(value) or "")
    if width:
        params["classes"] = f"{params['classes']} govuk-input--width-{width}".strip()
    for side, unit in (("prefix", prefix), ("suffix", suffix)):
        if unit:
            params[side] = {"text": unit}
    return Component("input", params)


def error_links(all_forms: Iterable[forms.BaseForm]) -> list[dict[str, str]]:
    """Return every error of the forms for the summary, each with the address of its field."""
    links = []
    for form in all_forms:
        for name, errors in form.errors.items():
            if name == NON_FIELD_ERRORS:
                links += [{"text": str(error)} for error in errors]
                continue
            bound = form[name]
            anchor = bound.auto_id
            if isinstance(bound.field.widget, DateParts):
                anchor = f"{anchor}_day"
            links += [{"text": str(error), "href": f"#{anchor}"} for error in errors]
    return links


def _input_type(widget: forms.Widget) -> str:
    """Return the type of input; numbers are text, so that what was typed wrong stays."""
    kind = getattr(widget, "input_type", None) or "text"
    return "text" if kind == "number" else kind


def _caption(kind: str, bound: BoundField, heading: bool, size: str) -> dict[str, Any]:
    size = size or ("l" if heading else "")
    return {
        "text": str(bound.label),
        "classes": f"{LEGEND[kind]}{size}" if size else "",
        "isPageHeading": heading,
    }


def _options(bound: BoundField) -> list[dict[str, Any]]:
    """Return the choices of a field; groups are flattened, because the macros have none."""
    value = bound.value()
    chosen = {str(one) for one in (value if isinstance(value, list | tuple | set) else [value])}
    options = []
    for key, label in _flat(bound.field.choices):  # type: ignore[attr-defined]  # choice fields only
        text = "" if key is None else str(key)
        marked = text in chosen or (text == "" and value in (None, ""))
        options.append({"value": text, "text": str(label), "checked": marked, "selected": marked})
    return options


def _flat(choices: Iterable[tuple[Any, Any]]) -> Iterable[tuple[Any, Any]]:
    for key, label in choices:
        if isinstance(label, list | tuple):
            yield from label
        else:
            yield key, label


def _choices(
    bound: BoundField,
    params: dict[str, Any],
    heading: bool,
    size: str,
    inline: bool,
    pictures: Mapping[str, str] | None,
    hints: Mapping[str, str] | None,
    rows: bool,
) -> Component:
    several = isinstance(bound.field.widget, forms.CheckboxSelectMultiple)
    kind = "checkboxes" if several else "radios"
    tiles = pictures is not None or rows
    items = [option for option in _options(bound) if option["value"]]
    for item in items:
        value = item["value"]
        note = (hints or {}).get(value)
        if tiles:
            picture = (pictures or {}).get(value)
            drawn = icon(picture, 32 if rows else 44) if picture else ""
            under = Markup('<span class="choice__note">{}</span>').format(note) if note else ""
            item["html"] = Markup("{}<span>{}{}</span>").format(drawn, item["text"], under)
        elif note:
            item["hint"] = {"text": note}
        if params["attributes"]:
            item["attributes"] = params["attributes"]
    classes = [params["classes"]]
    if inline:
        classes.append(f"govuk-{kind}--inline")
    if tiles:
        classes.append("tiles tiles--rows" if rows else "tiles")
    return Component(
        kind,
        {
            "idPrefix": params["id"],
            "name": params["name"],
            "classes": " ".join(filter(None, classes)),
            "fieldset": {"legend": _caption("legend", bound, heading, size)},
            "hint": params.get("hint"),
            "errorMessage": params.get("errorMessage"),
            "items": items,
        },
    )


def _single_checkbox(bound: BoundField, params: dict[str, Any]) -> Component:
    item = {
        "value": "on",
        "text": str(bound.label),
        "checked": bool(bound.value()),
        "attributes": params["attributes"],
    }
    if "hint" in params:
        item["hint"] = params["hint"]
    return Component(
        "checkboxes",
        {
            "idPrefix": params["id"],
            "name": params["name"],
            "classes": params["classes"],
            "errorMessage": params.get("errorMessage"),
            "items": [item],
        },
    )


def _date(
    bound: BoundField, widget: DateParts, params: dict[str, Any], heading: bool, size: str
) -> Component:
    wrong = " govuk-input--error" if bound.errors else ""
    value = bound.value()
    parts = value if isinstance(value, list) else widget.decompress(value)
    items = [
        {
            "id": f"{params['id']}_{part}",
            "name": f"{params['name']}_{part}",
            "label": str(label),
            "value": "" if typed is None else str(typed),
            "classes": f"govuk-input--width-{4 if part == 'year' else 2}{wrong}",
            "autocomplete": f"bday-{part}" if params.get("autocomplete") == "bday" else None,
        }
        for (part, label), typed in zip(widget.labels.items(), parts, strict=True)
    ]
    return Component(
        "date-input",
        {
            "id": params["id"],
            "fieldset": {"legend": _caption("legend", bound, heading, size)},
            "hint": params.get("hint"),
            "errorMessage": params.get("errorMessage"),
            "items": items,
        },
    )
