"""The WSGI application that granian's workers serve."""

import ctypes
import multiprocessing
import os
import signal

from django.core.wsgi import get_wsgi_application

PR_SET_PDEATHSIG = 1

# Were granian's main process killed, its workers would go on serving beside the new ones.
if multiprocessing.parent_process():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sanjeevani.config.settings")
application = get_wsgi_application()
