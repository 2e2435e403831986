"""Application settings."""

from django.apps import AppConfig


class TerminologyConfig(AppConfig):
    """Reference data: specialities, complaints, diagnoses, medicines, danger signs, vitals."""

    name = "sanjeevani.terminology"

    def load_reference(self) -> dict[str, int]:
        """Bring the reference tables up to date; called by the command `load_reference`."""
        from sanjeevani.terminology.services import load_reference

        return load_reference()
