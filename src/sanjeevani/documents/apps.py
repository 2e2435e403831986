"""Application settings."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Uploaded files, typeset documents, signatures, expiring links."""

    name = "sanjeevani.documents"
