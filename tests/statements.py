"""What every statement of the serving role has to keep to in every test."""

import contextvars
from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created
from django.template.backends.jinja2 import Template

_rendering: contextvars.ContextVar[str | None] = contextvars.ContextVar("rendering", default=None)


class StatementInTemplate(AssertionError):
    """A template asked the database: views hand it all that it shows."""


def refuse_while_rendering(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Execute wrapper: fail on SQL that a template causes, by a lazy relation or queryset."""
    template = _rendering.get()
    if template is not None:
        raise StatementInTemplate(f"{template}: {sql}")
    return execute(sql, params, many, context)


def watch_statements() -> None:
    """Let statements fail that would have to ask all shards, or that come from a template."""
    # Models are known only after django.setup().
    from sanjeevani.foundation.sharding import refuse_unscoped

    def watch(connection: Any, **_: Any) -> None:
        if connection.alias == "default":
            for wrapper in (refuse_unscoped, refuse_while_rendering):
                if wrapper not in connection.execute_wrappers:
                    connection.execute_wrappers.append(wrapper)

    connection_created.connect(watch, weak=False)
    render = Template.render

    def render_marked(self: Any, context: Any = None, request: Any = None) -> Any:
        token = _rendering.set(self.origin.name)
        try:
            return render(self, context, request)
        finally:
            _rendering.reset(token)

    Template.render = render_marked  # type: ignore[method-assign]
