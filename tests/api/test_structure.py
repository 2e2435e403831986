"""What holds for every operation of the API, whoever adds one."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from ninja.constants import NOT_SET
from ninja.operation import Operation

from sanjeevani.api.access import Bearer
from sanjeevani.api.application import api, urlpatterns
from sanjeevani.config import asgi
from sanjeevani.documents.uploads import LARGEST_FILE
from sanjeevani.foundation.access import Audience, permission_of

PUBLIC = {
    "request_code",
    "sign_in",
    "sign_in_staff",
    "list_states",
    "list_specialities",
    "read_notice",
    "list_dosage",
    "prove",  # by the challenge of a right code
    "begin_anew",
}
"""Operations that need nobody to have signed in. Adding one here is a decision."""


def operations() -> Iterator[Operation]:
    """Walk every operation."""
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            yield from view.operations


def documented() -> list[tuple[str, str, dict[str, Any]]]:
    """List every documented operation with its path and method."""
    return [
        (path, method, operation)
        for path, methods in api.document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_states_whom_it_admits() -> None:
    for operation in operations():
        name = operation.view_func.__name__
        assert operation.auth_param is not NOT_SET, name
        if operation.auth_param is None:
            assert name in PUBLIC
        else:
            assert isinstance(operation.auth_param, Bearer), name


def test_the_middleware_of_pages_leaves_every_address_to_the_operation() -> None:
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        permission = permission_of(pattern.callback)
        assert permission is not None
        assert permission.audience is Audience.MACHINE


@pytest.mark.django_db
def test_without_a_token_nothing_is_done() -> None:
    """The document and what the server does agree on who may ask."""
    for path, method, operation in documented():
        if operation["operationId"] in PUBLIC:
            continue
        address = path.replace("{state_id}", "28")
        address = re.sub(r"\{\w+_id\}", "0190a6b5-7c1e-7000-8000-000000000000", address)
        response = Client().generic(method.upper(), address, content_type="application/json")
        assert response.status_code == 401, address
        assert operation["security"] == [{"Bearer": []}]


def test_what_creates_takes_a_key() -> None:
    """Each 201 of somebody signed in can be retried."""
    for path, _method, operation in documented():
        if 201 in operation["responses"] and "security" in operation:
            names = {parameter["name"] for parameter in operation["parameters"]}
            assert "Idempotency-Key" in names, path


def test_every_refusal_is_documented_as_a_problem() -> None:
    for path, _method, operation in documented():
        for status, response in operation["responses"].items():
            if status >= 400:
                assert list(response["content"]) == ["application/problem+json"], (path, status)
                assert response["description"]


def test_links_lead_to_operations_and_their_parameters() -> None:
    parameters = {
        operation["operationId"]: {parameter["name"] for parameter in operation["parameters"]}
        for _path, _method, operation in documented()
    }
    links = [
        link
        for _path, _method, operation in documented()
        for response in operation["responses"].values()
        for link in response.get("links", {}).values()
    ]
    assert links
    for link in links:
        assert link["parameters"].keys() <= parameters[link["operationId"]]


def test_a_whole_photo_is_taken_where_a_file_is() -> None:
    """A phone's has some megabytes; everything else is JSON."""
    for path, methods in api.document["paths"].items():
        _unasked, most = asgi._limits(path, "image/jpeg")
        takes_one = any(
            "image/jpeg" in operation.get("requestBody", {}).get("content", {})
            for operation in methods.values()
        )
        assert (most >= LARGEST_FILE) is takes_one, path


def test_words_that_programs_decide_by_are_listed() -> None:
    """Whoever writes an app must know every one: what has no branch shows the patient nothing."""
    schemas = api.document["components"]["schemas"]
    decided = {"status", "outcome", "token_status", "kind", "gender", "relation", "role", "seat"}
    for name, schema in schemas.items():
        for field, said in schema.get("properties", {}).items():
            # What was signed is kept as it was.
            if name in {"Problem", "PatientFacts"} or field not in decided:
                continue
            options = [one for one in said.get("anyOf", [said]) if one.get("type") != "null"]
            for one in options:
                found = schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
                found = found["allOf"][0] if "allOf" in found else found
                assert {"enum", "const"} & found.keys(), (name, field)
