"""The table of suites: every file of this folder, and the task that each one names."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from ..errors import SuiteInvalid, SuiteUnknown
from ..harness.options import SuiteOptions
from ..harness.suite import Suite, read_suites
from ..harness.task import Task

Builder = Callable[[SuiteOptions], Task]
TAG = "tag:"


@cache
def suites() -> Mapping[str, Suite]:
    """Every suite by name; a file is all that it takes to add one."""
    return read_suites(Path(__file__).parent)


def chosen(names: tuple[str, ...]) -> list[Suite]:
    """The suites of these names and tags (`tag:fast`), each once; raises SuiteUnknown with those there are."""
    known, found = suites(), dict[str, Suite]()
    for name in names:
        tag = name.removeprefix(TAG)
        picked = [suite for suite in known.values() if tag in suite.tags] if name.startswith(TAG) else []
        if name in known:
            picked = [known[name]]
        if not picked:
            tags = sorted({tag for suite in known.values() for tag in suite.tags})
            kind = f"no suite has the tag {tag!r}" if name.startswith(TAG) else f"there is no suite {name!r}"
            remedy = f"Use one of: {', '.join(known)}; or of the tags {', '.join(TAG + item for item in tags)}."
            raise SuiteUnknown(kind, remedy=remedy)
        found.update((suite.name, suite) for suite in picked)
    return list(found.values())


def builder_of(suite: Suite, above: Mapping[str, Builder]) -> Builder:
    """What makes the suite's task: `module:function` of this folder, or else a name of those `above` this floor."""
    module, _, function = suite.task.partition(":")
    if not function:
        if module in above:
            return above[module]
        raise SuiteInvalid(f"{suite.name}.toml: there is no task {module!r}", remedy=f"Use {', '.join(above)}.")
    try:
        found = getattr(import_module(f".{module}", __package__), function)
    except (ModuleNotFoundError, AttributeError) as error:
        raise SuiteInvalid(
            f"{suite.name}.toml: the task {suite.task!r} cannot be found: {error}",
            remedy="Write MODULE:FUNCTION of evals/suites.",
        ) from error
    return found
