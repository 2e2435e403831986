"""Statements verify as signed, by us and by the small verifier, and never otherwise."""

import base64
import importlib.util
import json
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey
from pytest_django.fixtures import Settings

from sanjeevani.documents import signing
from sanjeevani.documents.signing import SignatureInvalid, sign_statement, verify_statement

VERIFIER = Path(__file__).parents[2] / "tools" / "verify_prescription.py"
STATEMENT = {"number": "7K2M-9QXT-04WD", "medicines": ["Paracetamol 650 mg"], "patient": "वे सु 1992"}


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: Settings) -> Path:
    """A folder of its own for the keys of each test."""
    settings.SIGNING_KEYS_DIR = tmp_path / "signing"
    return tmp_path / "signing"


def key_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def test_what_was_signed_comes_back() -> None:
    assert verify_statement(sign_statement(STATEMENT)) == STATEMENT


def test_the_key_is_made_once_and_only_its_owner_reads_it(keys: Path) -> None:
    first, second = sign_statement(STATEMENT), sign_statement(STATEMENT)
    assert first == second
    (file,) = key_files(keys)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700


def test_the_published_set_has_thumbprints_and_nothing_private() -> None:
    token = sign_statement(STATEMENT)
    (published,) = signing.public_keys()["keys"]
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert header == {"alg": "Ed25519", "kid": published["kid"]}
    assert "d" not in published
    assert OKPKey.import_key(dict(published)).thumbprint() == published["kid"]


def test_rotation_signs_with_the_new_key_and_honours_the_old(keys: Path) -> None:
    before = sign_statement(STATEMENT)
    kid = signing.rotate_signing_key()
    after = sign_statement(STATEMENT)
    assert before != after
    assert len(signing.public_keys()["keys"]) == 2
    assert signing.public_keys()["keys"][-1]["kid"] == kid
    assert verify_statement(before) == verify_statement(after) == STATEMENT
    oldest = key_files(keys)[0]
    private = json.loads(oldest.read_text())
    del private["d"]
    retired = oldest.with_suffix(".new")
    retired.write_text(json.dumps(private))
    retired.rename(oldest)
    assert verify_statement(before) == STATEMENT
    oldest.unlink()
    with pytest.raises(SignatureInvalid):
        verify_statement(before)
    assert verify_statement(after) == STATEMENT


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_character_is_noticed(data: st.DataObject) -> None:
    token = sign_statement(STATEMENT)
    position = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123-_."))
    changed = token[:position] + character + token[position + 1 :]
    if _same_bytes(changed, token):
        return
    with pytest.raises(SignatureInvalid):
        verify_statement(changed)
    with pytest.raises(verifier().NotGenuine):
        verifier().verify(signing.public_keys(), changed)


@cache
def verifier() -> Any:
    """The small verifier as a module."""
    specification = importlib.util.spec_from_file_location("verify_prescription", VERIFIER)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _same_bytes(one: str, other: str) -> bool:
    """The last character of a base64 part holds unused bits: a change of these alone is none."""
    if one == other:
        return True
    first, second = one.split("."), other.split(".")
    if len(first) != 3 or first[:2] != second[:2]:
        return False
    try:
        return base64.urlsafe_b64decode(first[2] + "==") == base64.urlsafe_b64decode(
            second[2] + "=="
        )
    except ValueError:
        return False


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[\w-]{1,40}\.[\w-]{1,40}\.[\w-]{1,90}")))
def test_rubbish_is_refused(token: str) -> None:
    with pytest.raises(SignatureInvalid):
        verify_statement(token)


def forged(header: dict[str, Any], key: OKPKey | OctKey, algorithm: str) -> str:
    return jws.serialize_compact(header, json.dumps(STATEMENT), key, algorithms=[algorithm])


def test_foreign_keys_and_other_algorithms_are_refused() -> None:
    sign_statement(STATEMENT)
    (published,) = signing.public_keys()["keys"]
    stranger = OKPKey.generate_key("Ed25519", private=True)
    public_bytes = json.dumps(published).encode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + ".e30."
    for token in (
        forged({"alg": "Ed25519", "kid": published["kid"]}, stranger, "Ed25519"),
        forged({"alg": "Ed25519"}, stranger, "Ed25519"),
        forged({"alg": "HS256", "kid": published["kid"]}, OctKey.import_key(public_bytes), "HS256"),
        unsigned,
        "a" * 50_000,
    ):
        with pytest.raises(SignatureInvalid):
            verify_statement(token)


def test_a_signed_value_that_is_no_statement_is_refused() -> None:
    sign_statement(STATEMENT)
    key = signing._signing_key()
    token = jws.serialize_compact(
        {"alg": "Ed25519", "kid": key.thumbprint()}, "[1]", key, algorithms=["Ed25519"]
    )
    with pytest.raises(SignatureInvalid):
        verify_statement(token)


def run_verifier(scanned: str, keys_text: str | None = None) -> tuple[int, str]:
    """Run the small verifier as a pharmacy would: another process, only the published keys."""
    published = Path(str(signing._directory())) / "published.txt"
    published.write_text(keys_text or json.dumps(signing.public_keys()))
    done = subprocess.run(
        [sys.executable, "-I", VERIFIER, published, "-"],
        input=scanned,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_small_verifier_agrees_offline() -> None:
    token = sign_statement(STATEMENT)
    for scanned in (token, f"https://sanjeevani.example.in/verify?s={token}", f"{token}\n"):
        status, said = run_verifier(scanned)
        assert status == 0
        assert said.startswith("GENUINE")
        assert "7K2M-9QXT-04WD" in said
        assert "वे सु 1992" in said
    assert run_verifier("hello")[0] == 1
    assert run_verifier(token, '{"keys": []}')[0] == 1
    assert run_verifier(token, "not json")[0] == 2
    assert len(VERIFIER.read_text().splitlines()) < 100
