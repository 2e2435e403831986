"""Django as a WSGI application; `asgi.py` serves it."""

import ctypes
import multiprocessing
import os
import signal

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

PR_SET_PDEATHSIG = 1

if multiprocessing.parent_process():
    # Were granian's main process killed, its workers would go on serving beside the new ones.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Until granian sets its own handlers, a worker has those of the main process it was forked
    # from: told to stop while it imports, it would not hear.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sanjeevani.config.settings")
django.setup(set_prefix=False)


class Request(WSGIRequest):
    """A request in UTF-8, whatever charset its sender names.

    Django would believe a name such as rot13, which Python knows and which is no text at all.
    """

    @property
    def encoding(self) -> None:
        """None: the service's own, UTF-8."""
        return None

    @encoding.setter
    def encoding(self, _named: str) -> None:
        pass


class Handler(WSGIHandler):
    """Django's, with requests in UTF-8."""

    request_class = Request


application = Handler()
