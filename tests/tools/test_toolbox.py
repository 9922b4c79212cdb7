"""The toolbox is the code: every recorded name, version and unit is declared, and every declaration is recorded."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import parley
import pytest
from parley.tools.ledger import Ledger
from parley.tools.toolbox import ACCOUNT_CURRENCY, TOOLS, Tool

ROOT = Path(parley.__file__).parent
SOURCES = ("tools", "graph", "agents", "desk", "evals", "execution", "gate", "service")
NODES = {"technical", "sentiment", "microstructure", "macro", "analyst", "risk", "optimizer", "execution", "consensus"}


@dataclass(frozen=True)
class Recorded:
    """One `ledger.record(...)` in the code: what it says, and the function it stands in."""

    module: str
    function: str
    line: int
    name: object
    version: object
    unit: object


@dataclass
class Module:
    """The functions of a file with the names they call, and where its imported names come from."""

    calls: dict[str, set[str]] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


@cache
def sources() -> dict[str, ast.Module]:
    files = [path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text()) for path in files}


def recorded_in(trees: dict[str, ast.Module]) -> list[Recorded]:
    return [item for module, tree in trees.items() for item in _records(module, tree)]


def _is_ledger_record(function: ast.expr) -> bool:
    """`ledger.record`, by the name the house gives every ledger; other things record as well."""
    owner = function.value if isinstance(function, ast.Attribute) and function.attr == "record" else None
    return (isinstance(owner, ast.Name) and owner.id == "ledger") or (
        isinstance(owner, ast.Attribute) and owner.attr.endswith("ledger")
    )


def _records(module: str, tree: ast.Module) -> Iterator[Recorded]:
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and _is_ledger_record(node.func):
                given: dict[str, ast.expr] = dict(zip(("tool", "version", "unit"), node.args, strict=False))
                given.update({item.arg: item.value for item in node.keywords if item.arg})
                yield Recorded(
                    module,
                    function.name,
                    node.lineno,
                    *(_literal(given.get(name)) for name in ("tool", "version", "unit")),
                )


def _literal(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def faults(calls: list[Recorded], tools: dict[str, Tool]) -> list[str]:
    """What does not agree between the calls in the code and the declarations, in words."""
    found = [fault for call in calls if (fault := _fault(call, tools))]
    unused = sorted(set(tools) - {call.name for call in calls})
    return found + [f"{name} is declared and never recorded" for name in unused]


def _fault(call: Recorded, tools: dict[str, Tool]) -> str | None:
    where = f"{call.module}:{call.line}"
    if not isinstance(call.name, str):
        return f"{where}: the tool's name is not a literal"
    tool = tools.get(call.name)
    if tool is None:
        return f"{where}: {call.name} is not declared in tools/toolbox.toml"
    if call.version != tool.version:
        return f"{where}: {call.name} records version {call.version}, declared is {tool.version}"
    if call.unit != (None if tool.unit == ACCOUNT_CURRENCY else tool.unit):
        return f"{where}: {call.name} records unit {call.unit}, declared is {tool.unit}"
    if f"{call.module}.{call.function}" != tool.home:
        return f"{where}: {call.name} is recorded in {call.function}, declared is {tool.home}"
    return None


def test_every_record_in_the_code_is_declared_and_every_declaration_is_recorded() -> None:
    calls = recorded_in(sources())

    assert len(calls) >= 18
    assert faults(calls, dict(TOOLS)) == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ('ledger.record("nobody_knows", 1, "score", {}, {})', "nobody_knows is not declared"),
        ('ledger.record("money_flow", 2, "score", {}, {})', "records version 2, declared is 1"),
        ('ledger.record("money_flow", 1, "bps", {}, {})', "records unit bps, declared is score"),
        ('ledger.record("money_flow", 1, unit="score", inputs={}, output={})', "is recorded in made_up"),
        ('ledger.record(name, 1, "score", {}, {})', "name is not a literal"),
    ],
)
def test_a_record_that_differs_from_its_declaration_is_named(code: str, says: str) -> None:
    trees = {"tools.made_up": ast.parse(f"def made_up(ledger, name):\n    {code}\n")}

    assert says in faults(recorded_in(trees), {"money_flow": TOOLS["money_flow"]})[0]


def test_a_declaration_without_a_record_is_named() -> None:
    assert faults([], {"regime": TOOLS["regime"]}) == ["regime is declared and never recorded"]


def test_the_nodes_of_a_tool_are_those_whose_code_reaches_it() -> None:
    modules = {name: _module(name, tree) for name, tree in sources().items()}
    tool_of = {(call.module, call.function): str(call.name) for call in recorded_in(sources())}
    found: dict[str, set[str]] = {name: set() for name in TOOLS}
    for module in ("graph.views", "graph.nodes"):
        for node in NODES & set(modules[module].calls):
            for place in _reached((module, node), modules):
                if place in tool_of:
                    found[tool_of[place]].add(node)

    assert found == {name: set(tool.nodes) for name, tool in TOOLS.items()}


def _module(name: str, tree: ast.Module) -> Module:
    module = Module()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = name.split(".")[: -node.level]
            source = ".".join((*package, *(node.module or "").split(".")))
            module.imports.update({item.asname or item.name: (source, item.name) for item in node.names})
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.calls[node.name] = {
                call.func.id if isinstance(call.func, ast.Name) else call.func.attr
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute)
            }
    return module


def _reached(start: tuple[str, str], modules: dict[str, Module]) -> set[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    waiting = [start]
    while waiting:
        place = waiting.pop()
        module = modules.get(place[0])
        if place in seen or module is None:
            continue
        seen.add(place)
        names = module.calls.get(place[1], set())
        waiting += [(place[0], name) for name in names if name in module.calls]
        waiting += [module.imports[name] for name in names if name in module.imports]
    return seen


def test_each_tool_is_a_typed_function_that_takes_a_ledger_first_and_says_one_plain_sentence() -> None:
    for tool in TOOLS.values():
        signature = inspect.signature(tool.function)
        types = [item.annotation for item in signature.parameters.values()]

        assert types[0] is Ledger, tool.name
        assert inspect.Signature.empty not in (*types, signature.return_annotation), tool.name
        assert tool.says.endswith(".") and tool.says.count(". ") == 0 and len(tool.says) <= 110
