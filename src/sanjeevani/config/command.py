"""The `sanjeevani` command: `run`, `prepare`, and Django's management commands."""

import os
import subprocess
import sys

from sanjeevani.config import processes, running

HELP = """\
usage: sanjeevani run          start everything, stop it with Ctrl-C
       sanjeevani prepare      migrate, load reference and demo data, collect static files
       sanjeevani load-demo    load the demo data
       sanjeevani replay       hold consultations against the running service, and audit them
       sanjeevani <command>    any management command; `sanjeevani help` lists them
"""


def main() -> int:
    """Run the command named on the command line; return the exit status."""
    match sys.argv[1:]:
        case [] | ["-h" | "--help"]:
            print(HELP)
        case ["run"]:
            return running.run()
        case ["replay", *arguments]:
            return _replay(arguments)
        case [name, *arguments]:
            return _manage(name, arguments)
    return 0


def _replay(arguments: list[str]) -> int:
    """Run the benchmark, which knows the service only from outside, in a process of its own."""
    try:
        os.environ.update(processes.environment(processes.installation()))
    except processes.CannotRun as refusal:
        print(f"sanjeevani: {refusal}", file=sys.stderr)
        return 1
    return subprocess.call([sys.executable, "-m", "replay", *arguments])


def _manage(name: str, arguments: list[str]) -> int:
    """Run a management command against the installation that the environment names."""
    try:
        os.environ.update(processes.environment(processes.installation()))
    except processes.CannotRun as refusal:
        print(f"sanjeevani: {refusal}", file=sys.stderr)
        return 1
    # Not at the top: `run` itself must start fast, and stay small.
    from django.db import OperationalError

    try:
        if name == "prepare":
            from sanjeevani.config.prepare import prepare

            prepare()
        else:
            from django.core.management import execute_from_command_line

            execute_from_command_line(["sanjeevani", name.replace("-", "_"), *arguments])
    except OperationalError as failure:
        reason = str(failure).strip().splitlines()[-1]
        print(f"sanjeevani: the database cannot be used: {reason}", file=sys.stderr)
        return 1
    return 0
