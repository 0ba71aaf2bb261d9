"""Print the shape of the package: files, lines and functions of each room, and its import cycles.

Exits 1 when modules import each other in a circle. Imports inside functions count: they are no way around a cycle.
Imports for the type checker only (`if TYPE_CHECKING:`) do not: they are gone when the program runs, and between rooms
`make check` holds them to the same direction.

Usage: python tools/shape.py [FOLDER]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "runfolio"
Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = dict[str, set[str]]


class Module(NamedTuple):
    """One source file."""

    name: str
    room: str
    is_package: bool
    lines: int
    tree: ast.Module

    def functions(self) -> Iterator[tuple[int, str]]:
        """Yield the lines and the place of each function."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield (node.end_lineno or node.lineno) - node.lineno + 1, f"{self.name}:{node.name}"


def read_modules(package: Path) -> list[Module]:
    """Read and parse every module of the package."""
    return [read_module(package, path) for path in sorted(package.rglob("*.py"))]


def read_module(package: Path, path: Path) -> Module:
    """Read and parse one module."""
    inside = path.relative_to(package)
    is_package = inside.name == "__init__.py"
    parts = inside.parent.parts if is_package else (*inside.parent.parts, inside.stem)
    text = path.read_text(encoding="utf-8")
    return Module(
        name=".".join((package.name, *parts)),
        room=inside.parts[0] if len(inside.parts) > 1 else "(top)",
        is_package=is_package,
        lines=text.count("\n"),
        tree=ast.parse(text, str(path)),
    )


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without what stands under `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from runtime_nodes(other)
        else:
            yield from runtime_nodes(child)


def imported_names(module: Module) -> Iterator[tuple[str, str | None]]:
    """Yield (module, name in it or None) for each import."""
    for node in runtime_nodes(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
                above = here[: len(here) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            yield from ((base, alias.name) for alias in node.names)


def import_graph(modules: list[Module]) -> Graph:
    """Map each module of the package to those of it that it imports."""
    known = {module.name for module in modules}
    graph: Graph = {}
    for module in modules:
        targets = {
            submodule if (submodule := f"{base}.{name}") in known else base for base, name in imported_names(module)
        }
        graph[module.name] = (targets & known) - {module.name}
    return graph


def reachable(graph: Graph, start: str) -> set[str]:
    """Return every module that `start` imports, directly or not."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - seen
        seen |= new
        waiting.extend(new)
    return seen


def cycles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that reach each other, each group once."""
    reach = {name: reachable(graph, name) for name in graph}
    knots = {frozenset(other for other in reach[name] if name in reach[other]) for name in graph if name in reach[name]}
    return sorted(sorted(knot) for knot in knots)


def print_rooms(modules: list[Module]) -> None:
    """Print one line for each room, and their sum."""
    print(f"{'room':<12}{'files':>6}{'lines':>7}{'functions':>11}  longest function")
    for room in sorted({module.room for module in modules}):
        print_room(room, [module for module in modules if module.room == room])
    print_room("all", modules)


def print_room(room: str, modules: list[Module]) -> None:
    """Print the sizes of one room."""
    functions = sorted(function for module in modules for function in module.functions())
    longest = "{} lines, {}".format(*functions[-1]) if functions else "-"
    print(f"{room:<12}{len(modules):>6}{sum(m.lines for m in modules):>7}{len(functions):>11}  {longest}")


def main(package: Path) -> int:
    """Print the report; return the exit code."""
    modules = read_modules(package)
    print_rooms(modules)
    knots = cycles(import_graph(modules))
    for knot in knots:
        print("cycle: " + " · ".join(knot))
    print(f"{len(knots)} import cycles")
    return int(bool(knots))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE))
