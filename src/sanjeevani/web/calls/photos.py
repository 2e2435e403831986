"""Photos in a conversation."""

import uuid

from django.http import FileResponse

from sanjeevani.calls.queries import message_in
from sanjeevani.consultation.models import Consultation
from sanjeevani.documents.uploads import get_upload, headers_for, open_upload
from sanjeevani.foundation.errors import NotFound


def attachment_of(consultation: Consultation, message_id: uuid.UUID) -> FileResponse:
    """Serve the file of a message; the caller has checked who asks. Raises NotFound."""
    message = message_in(consultation.state_id, consultation.room_id, message_id)
    if message is None or message.attachment_id is None:
        raise NotFound
    upload = get_upload(consultation.state_id, message.attachment_id)
    return FileResponse(open_upload(upload), headers=headers_for(upload))
