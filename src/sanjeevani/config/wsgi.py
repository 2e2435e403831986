"""The WSGI application that granian's workers serve."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sanjeevani.config.settings")
application = get_wsgi_application()
