"""How each prompt's answers are distributed over seeded questions, held against what was stored for it.

A phrase that makes a model say the same of everything moves the distribution, whatever else it leaves alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..agents.analyst import PROMPT as ANALYST
from ..agents.analyst import form_signals
from ..agents.ask import Asking
from ..agents.budget import Budget
from ..agents.debate import PROMPTS as DEBATE
from ..agents.debate import argue
from ..agents.opinions import PROMPTS as OPINIONS
from ..agents.opinions import gather_opinions
from ..agents.sentiment import PROMPT as SENTIMENT
from ..agents.sentiment import read_texts
from ..prompts.loader import load_prompt
from .prompt_baselines import RULES_ANSWERS
from .prompt_cases import SYMBOLS, PromptCase, prompt_case

MAX_DISTANCE = 0.25
"""Of a prompt's answers, how many may be others than those stored of the same model."""
MAX_DISTANCE_FROM_RULES = 0.5
"""Of a model that nothing is stored of: it may differ from the rules, but not say one thing of everything."""
ABSTAIN = "ABSTAIN"
PLENTY = 10**6

Answers = dict[str, int]


@dataclass(frozen=True, slots=True)
class PromptResult:
    """One prompt's answers, those it is held against, and what is wrong; nothing when all is well."""

    prompt: str
    version: int
    hash: str
    answers: Answers
    stored: Answers
    distance: float
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """What was found of a prompt before."""

    version: int
    hash: str
    answers: Answers


async def answers_of(asking: Asking, seeds: Iterable[int]) -> dict[str, Answers]:
    """By prompt, how often each answer was given."""
    found: dict[str, Counter[str]] = {name: Counter() for name in RULES_ANSWERS}
    for seed in seeds:
        case = prompt_case(seed)
        await _analyst(asking, case, found[ANALYST])
        await _opinions(asking, case, found)
        await _debate(asking, case, found)
        await _texts(asking, case, found[SENTIMENT])
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


def compared(found: Mapping[str, Answers], stored: Mapping[str, Stored] | None) -> tuple[PromptResult, ...]:
    """Each prompt against what is stored of the same model, or else against the rules."""
    return tuple(_compared(name, answers, stored) for name, answers in found.items())


def distance(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Half of the sum of the differences between two distributions: 0 when they agree, 1 when nothing is shared."""
    n_one, n_other = sum(one.values()), sum(other.values())
    if not n_one or not n_other:
        return 0.0 if n_one == n_other else 1.0
    return sum(abs(one.get(key, 0) / n_one - other.get(key, 0) / n_other) for key in {*one, *other}) / 2


def _compared(name: str, answers: Answers, stored: Mapping[str, Stored] | None) -> PromptResult:
    prompt, own = load_prompt(name), stored.get(name) if stored else None
    before = own.answers if own else RULES_ANSWERS[name]
    apart, bound = distance(answers, before), MAX_DISTANCE if own else MAX_DISTANCE_FROM_RULES
    faults = list[str]()
    if own is None and (len(before) == 1 or name in DEBATE.values()):
        # Rules that always say the same, or how strong they call a case, are no measure of another model.
        usual = before if len(before) == 1 else {}
        faults += [f"every answer is {alone}" for alone in answers if len(answers) == 1 and alone not in usual]
    elif apart > bound:
        faults.append(f"{apart:.0%} of the answers are others than before, {bound:.0%} may be")
    if own is not None and own.hash != prompt.hash and own.version == prompt.version:
        faults.append(f"the text changed and the version is still {prompt.version}")
    return PromptResult(name, prompt.version, prompt.hash, answers, before, round(apart, 4), tuple(faults))


async def _analyst(asking: Asking, case: PromptCase, counts: Counter[str]) -> None:
    formed = await form_signals(asking, Budget(0, PLENTY), case.reasoning, case.views)
    counts.update(signal.side.value for signal in formed.signals)
    counts.update({ABSTAIN: len(SYMBOLS) - len(formed.signals)} if len(formed.signals) < len(SYMBOLS) else {})


async def _opinions(asking: Asking, case: PromptCase, found: Mapping[str, Counter[str]]) -> None:
    opinions = await gather_opinions(asking, Budget(0, PLENTY), case.draft)
    for vote in opinions.votes:
        word = {1: "FOR", -1: "AGAINST"}.get(vote.value or 0, ABSTAIN)
        found[OPINIONS[vote.agent]][word] += 1


async def _debate(asking: Asking, case: PromptCase, found: Mapping[str, Counter[str]]) -> None:
    argued = await argue(asking, Budget(0, PLENTY), case.reasoning, case.views, (), may_go_back=False)
    if argued is None:
        return
    for speaker, name in DEBATE.items():
        said = {case.symbol: case.strength.value for case in argued.debate.cases if case.speaker is speaker}
        found[name].update(_of_each(argued.debate.gaps, said))


async def _texts(asking: Asking, case: PromptCase, counts: Counter[str]) -> None:
    read = await read_texts(asking, Budget(0, PLENTY), case.reasoning.as_of, SYMBOLS, case.texts)
    said = {ident: str(answer["polarity"]) for ident, answer in read.answers.items() if answer is not None}
    counts.update(_of_each([item.id for item in case.texts], said))


def _of_each(asked: Iterable[str], said: Mapping[str, str]) -> list[str]:
    return [said.get(name, ABSTAIN) for name in asked]
