"""Reads a question without a language model: rules over what it is about, ranked; near ones are asked back."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from ...domain.model import Model
from .entities import Named, named_in
from .lexicon import lexicon

RULES_PATH = Path(__file__).with_name("rules.toml")
NEED_POINTS, ALSO_POINTS, REFUSAL_POINTS = 2, 1, 2
WARY = frozenset({"off", "loosen", "tamper", "secret", "injection", "predict"})
"""Concepts that only a command that is refused has: they are heard through a slip of the pen."""
SURE_POINTS = 4
"""From here on a model is not asked: two things that belong together were found."""

Sort = Literal["ask", "do", "refuse"]


class Rule(Model):
    """One line of the rules file; exactly one of `ask`, `do` and `refuse` is given."""

    ask: str = ""
    do: str = ""
    refuse: str = ""
    needs: tuple[str, ...] = Field(min_length=1)
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    @property
    def target(self) -> "Target":
        sort: Sort = "ask" if self.ask else "do" if self.do else "refuse"
        return Target(sort, self.ask or self.do or self.refuse)

    def points(self, found: Collection[str]) -> int:
        """How well it fits; nothing when it does not."""
        if any(name in found for name in self.never) or not all(_is_met(need, found) for need in self.needs):
            return 0
        extra = sum(_is_met(name, found) for name in self.also)
        return NEED_POINTS * len(self.needs) + ALSO_POINTS * extra + (REFUSAL_POINTS if self.refuse else 0)


@dataclass(frozen=True, slots=True)
class Target:
    """What a question may mean: something to be asked, to be done, or to be refused."""

    sort: Sort
    name: str


@dataclass(frozen=True, slots=True)
class Understood:
    """What a question was taken to mean, best first, and what it names."""

    text: str
    named: Named
    concepts: frozenset[str]
    ranked: tuple[tuple[Target, int], ...]

    @property
    def best(self) -> Target | None:
        """The one meaning; None where there is none, or two that are equally near."""
        if not self.ranked or len(self.rivals) > 1:
            return None
        return self.ranked[0][0]

    @property
    def rivals(self) -> tuple[Target, ...]:
        """All that fit as well as the best; a refusal among them is the only one."""
        if not self.ranked:
            return ()
        top = self.ranked[0][1]
        near = tuple(target for target, points in self.ranked if points == top)
        return tuple(item for item in near if item.sort == "refuse")[:1] or near

    @property
    def is_sure(self) -> bool:
        return self.best is not None and self.ranked[0][1] >= SURE_POINTS


@dataclass(frozen=True)
class Grammar:
    rules: tuple[Rule, ...]
    refusals: Mapping[str, str]

    def understand(self, text: str, symbols: Collection[str], sectors: Iterable[str] = ()) -> Understood:
        """A question in anybody's words, of a run that trades these symbols."""
        named = named_in(text, symbols, sectors)
        concepts = lexicon().concepts(named.rest)
        found = concepts | named.marks
        points = dict[Target, int]()
        for rule in self.rules:
            points[rule.target] = max(rule.points(found), points.get(rule.target, 0))
        ranked = sorted(((target, value) for target, value in points.items() if value), key=lambda item: -item[1])
        understood = Understood(text, named, concepts, tuple(ranked))
        return self._held(understood, found)

    def _held(self, understood: Understood, found: Collection[str]) -> Understood:
        """A command that is refused stays so with a slip of the pen in it; where the slip made another word of it, and
        something is to be done, it is asked back."""
        if understood.best is not None and understood.best.sort == "refuse":
            return understood
        rest = understood.named.rest
        refused = self._refused({*found, *lexicon().nearly(rest, WARY)})
        if refused is not None:
            return replace(understood, ranked=((refused, SURE_POINTS),))
        is_command = understood.best is not None and understood.best.sort == "do"
        if is_command and self._refused({*found, *lexicon().nearly(rest, WARY, among_known=True)}) is not None:
            return replace(understood, ranked=())
        return understood

    def _refused(self, found: Collection[str]) -> Target | None:
        points = [(rule.points(found), rule.target) for rule in self.rules if rule.refuse]
        best = max(points, key=lambda item: item[0], default=(0, None))
        return best[1] if best[0] else None


@cache
def grammar() -> Grammar:
    """The shipped rules."""
    with RULES_PATH.open("rb") as file:
        data = tomllib.load(file)
    return Grammar(tuple(Rule.model_validate(row) for row in data["rule"]), data["refusals"])


def _is_met(need: str, found: Collection[str]) -> bool:
    return any(name in found for name in need.split("|"))
