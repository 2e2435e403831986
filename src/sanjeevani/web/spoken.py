"""Templates compiled once for each language: words and addresses that cannot differ stand in them.

A page holds some hundred texts, addresses and pictures that are the same for every reader of one
language. To look each of them up at every page was a third of what templates cost.
"""

from collections.abc import Callable, MutableMapping
from typing import Any

import jinja2
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, gettext, override
from jinja2 import nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from sanjeevani.web.icons import icon

CONSTANT: dict[str, Callable[..., str]] = {
    "icon": icon,
    "language": lambda: get_language() or settings.LANGUAGE_CODE,
    "static": static,
    "url": reverse,
}
"""Functions of templates whose answer depends on nothing but constant arguments and language."""

GETTEXT = frozenset({"_", "gettext"})


class Environment(jinja2.Environment):
    """Hands out templates in the language that is active; within one, they stay in it."""

    spoken_language: str | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._spoken: dict[str, Environment] = {}

    def get_template(
        self,
        name: str | jinja2.Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> jinja2.Template:
        """Return the template in the active language. Raises TemplateNotFound."""
        if self.spoken_language is not None:
            return super().get_template(name, parent, globals)
        return self._in(get_language() or settings.LANGUAGE_CODE).get_template(
            name, parent, globals
        )

    def _in(self, language: str) -> "Environment":
        found = self._spoken.get(language)
        if found is None:
            found = self.overlay()
            found.spoken_language = language
            self._spoken[language] = found
        return found

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return what a template sees beside its context, as one dictionary.

        Jinja's own chain of two is searched for every function that a macro calls: a tenth of a
        page. What is added to the globals after the first template is not seen by it.
        """
        return {**self.globals, **(d or {})}

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        if self.spoken_language is None:
            return super()._generate(source, name, filename, defer_init)
        # Filters of constants are worked out here as well, and some of them speak.
        with override(self.spoken_language):
            _Folding(source).visit(source)
            return super()._generate(source, name, filename, defer_init)


class _Folding(NodeTransformer):
    """Puts constants in the place of calls that always answer the same."""

    def __init__(self, template: nodes.Template) -> None:
        self._own = {
            name.name for name in template.find_all(nodes.Name) if name.ctx in ("store", "param")
        }

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name in self._own or node.dyn_args or node.dyn_kwargs:
            return node
        given = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        if len(given) < len(node.args):
            return node
        if name in GETTEXT:
            return _translated(node, given[0])
        if name in CONSTANT and not node.kwargs:
            try:
                answer = CONSTANT[name](*given)
            except Exception:  # noqa: BLE001 - it is said by the page that shows it
                return node
            return nodes.Const(answer, lineno=node.lineno)
        return node


def _translated(node: nodes.Call, message: str) -> nodes.Node:
    """Return what Jinja's own gettext returns: text that is markup, with its values escaped."""
    text = nodes.Const(Markup(gettext(message)), lineno=node.lineno)  # noqa: S704 - our own words
    values = [
        nodes.Pair(nodes.Const(word.key), word.value, lineno=node.lineno) for word in node.kwargs
    ]
    return nodes.Mod(text, nodes.Dict(values, lineno=node.lineno), lineno=node.lineno)
