"""What stands where: no word of the domain in the foundation, no person in a log."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway
import sanjeevani

PACKAGES = [Path(str(package.__file__)).parent for package in (sanjeevani, gateway)]
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
FOUNDATION = sorted((PACKAGES[0] / "foundation").glob("*.py"))

# An audit row names the patient whose record it is about, and a view whom it admits: the two
# words that even the foundation needs.
DOMAIN_WORDS = re.compile(
    r"clinic(?!al)|consultation|diagnos|doctor|facility|intake|medicine|practitioner|prescription"
    r"|queue|speciality|symptom|triage|vitals"
)
EXAMPLE = re.compile(r'@verb\("queueing\.issue_token"\)|concerns\(token')
LOCK = re.compile(r"queueing_lock")  # procrastinate's own parameter


@pytest.mark.parametrize("module", FOUNDATION, ids=lambda path: path.name)
def test_the_foundation_has_no_word_of_the_domain(module: Path) -> None:
    text = LOCK.sub("", EXAMPLE.sub("", module.read_text(encoding="utf-8")))
    assert DOMAIN_WORDS.findall(text.lower()) == []


LOGGING = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
PRIVATE = re.compile(
    r"name$|mobile|phone|birth|address|login|password|token|code$|text|comment|content|note"
    r"|body|payload|params|advice|answers|request$|POST|GET|cookies"
)
HARMLESS = frozenset(
    {
        "__name__",
        "__qualname__",
        "status_code",
        "topic",
    }
)


def logged(module: Path) -> Iterator[ast.AST]:
    """Yield what a module hands to the log, beside constant texts."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LOGGING
            and ast.unparse(node.func.value) in {"logger", "logging", "log"}
        ):
            yield from (
                argument for argument in node.args if not isinstance(argument, ast.Constant)
            )


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_logs_name_no_person_and_quote_nobody(module: Path) -> None:
    for argument in logged(module):
        names = {
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in ast.walk(argument)
            if isinstance(node, ast.Attribute | ast.Name)
        }
        assert not [name for name in names - HARMLESS if PRIVATE.search(name)], ast.unparse(
            argument
        )


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_relations_have_no_way_back_and_saving_has_no_logic(module: Path) -> None:
    """References point down: no accessor from the lower package to the higher one."""
    if "migrations" in module.parts:
        return
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.name != "save", module
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {
            "models.ForeignKey",
            "models.OneToOneField",
            "models.ManyToManyField",
        }:
            backwards = {
                keyword.arg: keyword.value for keyword in node.keywords if keyword.arg
            }.get("related_name")
            assert isinstance(backwards, ast.Constant), ast.unparse(node)
            assert backwards.value == "+", ast.unparse(node)
