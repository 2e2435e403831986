"""What the settings make of the environment, each time in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SMALL = {
    "SANJEEVANI_MODE": "production",
    "SANJEEVANI_SMS_GATEWAY_URL": "https://sms.example.in/send",
}
PRODUCTION = {**SMALL, "SANJEEVANI_PUBLIC_URL": "https://health.example.in"}


def settings(data_dir: Path, wanted: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Read the settings under these variables alone; print what is wanted of them."""
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("SANJEEVANI_")
    }
    return subprocess.run(
        [sys.executable, "-c", f"from sanjeevani.config import settings; print({wanted})"],
        env={**others, "SANJEEVANI_DATA": str(data_dir), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("given", [{}, {"SANJEEVANI_TRUSTED_PROXIES": ""}])
def test_behind_tls_the_number_of_proxies_is_asked_for_in_one_line(
    tmp_path: Path, given: dict[str, str]
) -> None:
    started = settings(tmp_path, "settings.TRUSTED_PROXIES", **PRODUCTION, **given)
    assert started.returncode == 1
    (line,) = started.stderr.splitlines()
    assert line.startswith("sanjeevani: set SANJEEVANI_TRUSTED_PROXIES ")


@pytest.mark.parametrize(
    ("variables", "proxies"),
    [
        ({}, 0),
        (SMALL, 0),
        (
            {
                "SANJEEVANI_MODE": "development",
                "SANJEEVANI_PUBLIC_URL": "https://health.example.in",
            },
            0,
        ),
        ({**PRODUCTION, "SANJEEVANI_TRUSTED_PROXIES": "0"}, 0),
        ({**PRODUCTION, "SANJEEVANI_TRUSTED_PROXIES": "2"}, 2),
    ],
)
def test_without_tls_or_when_said_it_starts(
    tmp_path: Path, variables: dict[str, str], proxies: int
) -> None:
    started = settings(tmp_path, "settings.TRUSTED_PROXIES", **variables)
    assert (started.returncode, started.stdout, started.stderr) == (0, f"{proxies}\n", "")


def test_a_number_of_proxies_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    started = settings(tmp_path, "0", SANJEEVANI_TRUSTED_PROXIES="one")
    assert started.returncode == 1
    assert len(started.stderr.splitlines()) == 1


@pytest.mark.parametrize("address", ["", "sms.example.in/send"])
def test_production_without_a_way_for_messages_is_refused_in_one_line(
    tmp_path: Path, address: str
) -> None:
    variables = {**SMALL, "SANJEEVANI_SMS_GATEWAY_URL": address}
    started = settings(tmp_path, "settings.SMS_BACKEND", **variables)
    assert started.returncode == 1
    (line,) = started.stderr.splitlines()
    assert line.startswith("sanjeevani: set SANJEEVANI_SMS_GATEWAY_URL ")


@pytest.mark.parametrize(
    ("variables", "limits"),
    [
        (SMALL, {}),
        (
            {
                **SMALL,
                "SANJEEVANI_CODES_PER_ADDRESS": "5000",
                "SANJEEVANI_PASSWORDS_PER_ADDRESS": "700",
            },
            {"codes_per_address": (5000, 600), "passwords_per_address": (700, 900)},
        ),
    ],
)
def test_the_environment_overrides_limits_per_address(
    tmp_path: Path, variables: dict[str, str], limits: dict[str, tuple[int, int]]
) -> None:
    started = settings(tmp_path, "settings.SIGN_IN_LIMITS", **variables)
    assert started.stdout == f"{limits}\n"


@pytest.mark.parametrize(
    "variables",
    [
        {"PORT": "eight thousand"},
        {"SANJEEVANI_LIVE_SAFETY_SECONDS": "1m"},
        {"SANJEEVANI_DB_PREPARE_AFTER": "never"},
        {"SANJEEVANI_CODES_PER_ADDRESS": "-1"},
        {"SANJEEVANI_TURN_SERVERS": "turn:turn.example.in:3478"},
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line_that_names_it(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    started = settings(tmp_path, "0", **variables)
    assert started.returncode == 1
    (line,) = started.stderr.splitlines()
    assert line.startswith("sanjeevani: ")
    assert next(iter(variables)) in line


def test_a_variable_without_a_value_is_one_that_is_not_set(tmp_path: Path) -> None:
    variables = {"PORT": "", "SANJEEVANI_LIVE_SAFETY_SECONDS": "", "SANJEEVANI_TURN_SERVERS": ""}
    wanted = "settings.PORT, settings.LIVE_SAFETY_SECONDS, settings.TURN_SERVERS"
    assert settings(tmp_path, wanted, **variables).stdout == "8000 60 {}\n"


@pytest.mark.parametrize(
    "variables",
    [
        {"SANJEEVANI_PUBLIC_URL": "https://health.example.in"},
        {**PRODUCTION, "SANJEEVANI_MODE": "prod"},
        {**PRODUCTION, "SANJEEVANI_MODE": "Production"},
    ],
)
def test_the_inbox_is_not_open_to_the_world_by_a_slip(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    """It shows the code of every patient who signs in."""
    started = settings(tmp_path, "settings.DEVELOPMENT_INBOX", **variables)
    assert started.returncode
    assert "SANJEEVANI_MODE" in started.stderr


@pytest.mark.parametrize("mode", ["", "development"])
def test_on_ones_own_machine_nothing_need_be_set(tmp_path: Path, mode: str) -> None:
    started = settings(tmp_path, "settings.DEVELOPMENT_INBOX", SANJEEVANI_MODE=mode)
    assert started.stdout.strip() == "True"


@pytest.mark.parametrize(
    ("given", "hosts"),
    [
        ({}, ["health.example.in"]),
        ({"SANJEEVANI_ALLOWED_HOSTS": ""}, ["health.example.in"]),
        (
            {"SANJEEVANI_ALLOWED_HOSTS": "a.example.in, b.example.in"},
            ["a.example.in", "b.example.in"],
        ),
    ],
)
def test_production_serves_its_own_name_and_its_own_machines(
    tmp_path: Path, given: dict[str, str], hosts: list[str]
) -> None:
    """The gateway reports calls, and probes ask, by addresses that no patient types."""
    variables = {
        **PRODUCTION,
        "SANJEEVANI_TRUSTED_PROXIES": "1",
        "SANJEEVANI_INTERNAL_URL": "http://10.1.2.3:8000",
    }
    started = settings(tmp_path, "' '.join(settings.ALLOWED_HOSTS)", **variables, **given)
    assert started.stdout.split() == [*hosts, "localhost", "127.0.0.1", "[::1]", "10.1.2.3"]
