"""Templates compiled for a language: what stands in them, and what is still asked each time."""

from unittest import mock

import jinja2
import pytest
from django.urls import NoReverseMatch
from django.utils.translation import override

from sanjeevani.web.jinja import environment

TEMPLATES = {
    "words.html": '{{ _("Desk") }}|{{ _("Desk")|lower }}|{{ language() }}',
    "values.html": (
        '{{ _("You are with %(name)s.", name=name) }}|'
        "{% trans name=name %}You are with {{ name }}.{% endtrans %}"
    ),
    "signs.html": '{{ _("100%%") }}|{% trans %}100%{% endtrans %}',
    "calls.html": '{{ url("doctor:desk") }} {{ icon("bell") }} {{ _("Desk") }}',
    "own.html": (
        '{% macro shown(icon) %}{{ icon("bell") }}{% endmacro %}{% set url = echo %}'
        '{{ shown(echo) }} {{ url("doctor:desk") }}'
    ),
    "parent.html": '{{ _("Desk") }} {% block inner %}{% endblock %}',
    "child.html": (
        '{% extends "parent.html" %}{% block inner %}{% include "words.html" %}{% endblock %}'
    ),
    "lost.html": '{% if shown %}{{ url("no:such-route") }}{% endif %}here',
}


@pytest.fixture
def pages() -> jinja2.Environment:
    """The environment of the pages, over templates of this file."""
    return environment(loader=jinja2.DictLoader(TEMPLATES), autoescape=True)


def drawn(pages: jinja2.Environment, page: str, language: str, **context: object) -> str:
    with override(language):
        return pages.get_template(page).render(context)


def test_each_reader_gets_the_words_of_their_language(pages: jinja2.Environment) -> None:
    for _again in range(2):
        assert drawn(pages, "words.html", "en") == "Desk|desk|en"
        assert drawn(pages, "words.html", "hi") == "डेस्क|डेस्क|hi"
        assert drawn(pages, "child.html", "hi") == "डेस्क डेस्क|डेस्क|hi"
        assert drawn(pages, "child.html", "en") == "Desk Desk|desk|en"


def test_values_are_escaped_and_put_in(pages: jinja2.Environment) -> None:
    shown = "You are with A &lt;b&gt; 5%."
    assert drawn(pages, "values.html", "en", name="A <b> 5%") == f"{shown}|{shown}"


def test_a_sign_of_percent_is_one(pages: jinja2.Environment) -> None:
    assert drawn(pages, "signs.html", "en") == "100%|100%"


def test_what_cannot_differ_is_asked_once(pages: jinja2.Environment) -> None:
    first = drawn(pages, "calls.html", "en")
    with (
        mock.patch("sanjeevani.web.jinja.reverse") as reverse,
        mock.patch("django.utils.translation.trans_real.gettext") as gettext,
    ):
        assert drawn(pages, "calls.html", "en") == first
    assert not reverse.called
    assert not gettext.called
    assert first.startswith("/desk <svg")


def test_a_templates_own_names_are_its_own(pages: jinja2.Environment) -> None:
    assert drawn(pages, "own.html", "en", echo=lambda word: f"<{word}>") == (
        "&lt;bell&gt; &lt;doctor:desk&gt;"
    )


def test_a_route_that_is_missing_fails_where_it_is_shown(pages: jinja2.Environment) -> None:
    assert drawn(pages, "lost.html", "en", shown=False) == "here"
    with pytest.raises(NoReverseMatch):
        drawn(pages, "lost.html", "en", shown=True)
