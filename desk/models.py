"""Builds the models that a run may ask, and keeps what they say in the run's folder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..agents.llm.call_store import BookCalls, CallStore
from ..agents.llm.dialect import OutputForm
from ..agents.llm.gateway import Endpoint, GatewayModel, GatewayTerms
from ..agents.llm.http_wire import HttpWire
from ..agents.llm.local_model import PREFIX, LocalWire
from ..agents.llm.port import ChatModel
from ..agents.llm.prices import PriceTable, load_prices
from ..agents.llm.recorded import ReplayModel
from ..agents.llm.recording import RecordingModel
from ..agents.llm.routed import RoutedModel
from ..agents.llm.rules import RulesModel
from ..agents.llm.spending import Bounds, Meter, Spent
from ..storage.errors import StoreMissing
from ..storage.sql import open_in_memory, open_sqlite
from .book import RunFolder
from .clock import elapsed_s, wall_time
from .errors import SettingsInvalid
from .llm_settings import LlmSettings, SpendingSettings

CALLS = "model_calls.db"
"""Beside a run's log: what its models were asked and said, with what a log can't hold."""


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model whose calls are kept, and who to tell when a decision begins."""

    model: ChatModel
    begin_decision: Callable[[str], None]


def build_model(name: str, llm: LlmSettings) -> ChatModel:
    """`rules`, `local:PATH`, or a model of the configured OpenAI-compatible endpoint; and the nodes' own models."""
    names = dict.fromkeys((name, *llm.nodes.values()))
    if set(names) == {RulesModel.name}:
        return RulesModel(llm.text_hit_rate)
    if llm.mode == "replay-or-fail":
        return ReplayModel((), name)
    _refuse_unpriced(names, llm)
    endpoint = Endpoint(endpoint_wire(llm), gateway_terms(llm)) if any(map(is_remote, names)) else None
    models = {item: _model(item, llm, endpoint) for item in names}
    if not llm.nodes:
        return models[name]
    return RoutedModel(models[name], {node: models[item] for node, item in llm.nodes.items()})


@contextmanager
def kept_model(model: ChatModel, llm: LlmSettings, folder: RunFolder) -> Iterator[KeptModel]:
    """The model as the run asks it: with its calls kept, its budgets held, or its words taken from the book."""
    with ExitStack() as stack:
        if llm.mode in ("replay", "replay-or-fail") and not isinstance(model, RulesModel):
            replies = BookCalls(stack.enter_context(_stores_but(folder)), model.name, llm.nodes)
        else:
            replies = None
        if replies is not None and llm.mode == "replay-or-fail":
            yield KeptModel(ReplayModel(replies, model.name), _ignore)
            return
        if model.is_deterministic:
            yield KeptModel(model, _ignore)
            return
        path = folder.path / CALLS
        database = open_in_memory() if llm.mode == "live" else open_sqlite(path)
        stack.callback(database.close)
        store = CallStore(database)
        kept = RecordingModel(
            live=model,
            store=store,
            meter=_meter(llm, folder, store),
            now_s=elapsed_s,
            stamp=wall_time,
            timeout_s=llm.timeout_s,
            names=llm.nodes,
        )
        asked = kept if replies is None else ReplayModel(replies, model.name, kept)
        yield KeptModel(asked, kept.begin_decision)


@contextmanager
def read_calls(folder: RunFolder) -> Iterator[CallStore | None]:
    """The kept calls of a run, for reading; None where none were kept."""
    try:
        database = open_sqlite(folder.path / CALLS, readonly=True)
    except StoreMissing:
        yield None
        return
    try:
        yield CallStore(database)
    finally:
        database.close()


def endpoint_wire(llm: LlmSettings) -> HttpWire:
    """The wire to the configured endpoint; nothing is sent yet."""
    return HttpWire(llm.base_url, llm.api_key.get_secret_value() if llm.api_key else None, llm.stall_s)


def gateway_terms(llm: LlmSettings) -> GatewayTerms:
    return GatewayTerms(
        timeout_s=llm.timeout_s,
        retries=llm.retries,
        form=OutputForm.SCHEMA if llm.output == "auto" else OutputForm(llm.output),
        is_native=llm.tools == "native",
        is_streaming=llm.stream,
        max_concurrency=llm.max_concurrency,
        breaker_failures=llm.breaker_failures,
        breaker_cooldown_s=llm.breaker_cooldown_s,
    )


def is_remote(name: str) -> bool:
    """Whether a model of this name is one of the configured endpoint's."""
    return name != RulesModel.name and not name.startswith(PREFIX)


def price_table(llm: LlmSettings) -> PriceTable | None:
    """The configured price table, if any."""
    return load_prices(llm.prices_file) if llm.prices_file is not None else None


def _model(name: str, llm: LlmSettings, endpoint: Endpoint | None) -> ChatModel:
    if name == RulesModel.name:
        return RulesModel(llm.text_hit_rate)
    if name.startswith(PREFIX):
        wire = LocalWire(Path(name.removeprefix(PREFIX)))
        return GatewayModel(name, Endpoint(wire, gateway_terms(llm)))
    if endpoint is None or (llm.api_key is None and llm.base_url is None):
        raise SettingsInvalid(
            f"model {name!r} needs an endpoint, and none is configured",
            remedy="Set PARLEY_LLM_BASE_URL and PARLEY_LLM_API_KEY (or OPENAI_API_KEY), or use --model rules.",
        )
    return GatewayModel(name, endpoint)


def _refuse_unpriced(names: dict[str, None], llm: LlmSettings) -> None:
    """Before anything is asked: a bound in money means nothing for a model whose price nobody wrote down."""
    prices = price_table(llm)
    if prices is None and (llm.decision.cost is not None or llm.day.cost is not None):
        raise SettingsInvalid(
            "a bound in money is set under [llm.decision] or [llm.day], and there is no price table",
            remedy="Name one with llm.prices_file, or bound calls and tokens instead.",
        )
    if prices is not None:
        for name in names:
            prices.cost(name, 0, 0)


def _meter(llm: LlmSettings, folder: RunFolder, store: CallStore) -> Meter:
    """The budgets; those of the day count what every run of the book has spent on it."""

    def elsewhere() -> Spent:
        today = _today()
        total = before if today == began_on else Spent()
        with _stores_but(folder) as others:
            for other in others:
                total += other.spent_on(today)
        return total

    began_on = _today()
    before = store.spent_on(began_on)
    has_daily_bound = llm.day != SpendingSettings()
    return Meter(
        decision=Bounds(**llm.decision.model_dump()),
        day=Bounds(**llm.day.model_dump()),
        prices=price_table(llm),
        today=_today,
        elsewhere=elsewhere if has_daily_bound else Spent,
    )


@contextmanager
def _stores_but(folder: RunFolder) -> Iterator[tuple[CallStore, ...]]:
    """The kept calls of every other run of the book, those that were set aside included."""
    with ExitStack() as stack:
        found = [stack.enter_context(read_calls(other)) for other in folder.book.runs() if other.path != folder.path]
        yield tuple(store for store in found if store is not None)


def _today() -> str:
    return wall_time()[:10]


def _ignore(_decision_id: str) -> None:
    """Rules and recordings have no budget."""
