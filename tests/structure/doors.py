"""Which verbs a request can reach: the others run inside these, or for the system only."""

import ast
from pathlib import Path

import sanjeevani

SOURCE = Path(sanjeevani.__file__).parent
DOORS = ("sanjeevani.web.", "sanjeevani.api.")

Node = tuple[str, str]
"""A module and a name at its top: a function, a class, a value."""


class Graph:
    """What mentions what, in the whole source."""

    def __init__(self) -> None:
        self.mentions: dict[Node, set[Node]] = {}
        self.verbs: dict[Node, str] = {}
        for path in SOURCE.rglob("*.py"):
            parts = path.relative_to(SOURCE.parent).with_suffix("").parts
            self._read(".".join(parts), ast.parse(path.read_text(encoding="utf-8")))

    def _read(self, module: str, tree: ast.Module) -> None:
        known = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        known |= {name: (module, name) for node in tree.body for name in names_of(node)}
        for node in tree.body:
            found = {place for part in ast.walk(node) if (place := mentioned(part, known))}
            for name in names_of(node) or [""]:
                self.mentions.setdefault((module, name), set()).update(found)
                if verb := verb_name(node):
                    self.verbs[module, name] = verb

    def at_the_door(self) -> set[str]:
        """Return the verbs that views lead to without another verb between."""
        return self._led_to({node for node in self.mentions if node[0].startswith(DOORS)})

    def inside(self) -> dict[str, list[str]]:
        """Return for each verb the verbs that run it as a part of theirs."""
        found: dict[str, list[str]] = {name: [] for name in self.verbs.values()}
        for node, outer in self.verbs.items():
            for inner in self._led_to(self.mentions[node]):
                found[inner].append(outer)
        return {name: sorted(set(outer) - {name}) for name, outer in found.items()}

    def _led_to(self, nodes: set[Node]) -> set[str]:
        open_ends = set(nodes)
        seen: set[Node] = set()
        found: set[str] = set()
        while open_ends:
            node = open_ends.pop()
            seen.add(node)
            if node in self.verbs:
                found.add(self.verbs[node])
            else:
                open_ends |= self.mentions.get(node, set()) - seen
        return found


def names_of(node: ast.stmt) -> list[str]:
    """Return the names that a statement at a module's top defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def mentioned(node: ast.AST, known: dict[str, Node]) -> Node | None:
    """Return what a piece of code names: `function`, or `module.function`."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return known.get(node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        package, name = known.get(node.value.id, ("", ""))
        return (f"{package}.{name}", node.attr)
    return None


def verb_name(node: ast.stmt) -> str | None:
    """Return the name of the verb that a function is, if it is one."""
    for decorator in getattr(node, "decorator_list", []):
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "verb":
            return str(ast.literal_eval(decorator.args[0]))
    return None
