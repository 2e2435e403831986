"""Django as a WSGI application; `asgi.py` serves it."""

import ctypes
import multiprocessing
import os
import signal

from django.core.wsgi import get_wsgi_application

PR_SET_PDEATHSIG = 1

if multiprocessing.parent_process():
    # Were granian's main process killed, its workers would go on serving beside the new ones.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # Until granian sets its own handlers, a worker has those of the main process it was forked
    # from: told to stop while it imports, it would not hear.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sanjeevani.config.settings")
application = get_wsgi_application()
