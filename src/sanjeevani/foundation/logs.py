"""Log lines that name what failed and where, never whom it was about."""

import logging
import traceback
from types import TracebackType


class Formatter(logging.Formatter):
    """Prints exceptions without their messages, and requests by route instead of path.

    A database error quotes the row, a ValueError the value, a path the record: all of them may be
    about a person. Type, route, request id and the lines of code lead to the cause.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        request = getattr(record, "request", None)
        if request is None:
            return super().format(record)
        copy = logging.makeLogRecord(record.__dict__)
        match = getattr(request, "resolver_match", None)
        copy.msg = "%s %s %s request=%s"
        copy.args = (
            getattr(record, "status_code", "-"),
            getattr(request, "method", "-"),
            match.view_name or match.route if match else "no route",
            getattr(request, "request_id", "-"),
        )
        # What a formatter before us made of the exception would carry its message.
        copy.exc_text = None
        return super().format(copy)

    def formatException(  # noqa: N802 - the name is the standard library's
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return the frames and types of an exception and of what caused it."""
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            lines[:0] = [*traceback.StackSummary.from_list(frames).format(), type(error).__name__]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(line.rstrip("\n") for line in lines)
