"""Builds a desk from settings: every port gets its adapter here and nowhere else."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pydantic import JsonValue

from .. import __version__
from ..agents.ask import Asking
from ..agents.llm.port import ChatModel
from ..agents.llm.rules import RulesModel
from ..domain.canonical import short_id
from ..domain.decisions import Decision, Intent, OpenOrder, Snapshot
from ..domain.events import RunStarted
from ..domain.portfolio import Portfolio
from ..domain.trading import UNRESTRICTED, TradingStates
from ..gate.approval import ApprovedPlan
from ..gate.gate import approve_nothing, review_plan
from ..gate.limits import Limits
from ..gate.tightening import Tightened, tightest
from ..graph.ports import Ports
from ..graph.run import DecisionGraph, decision_id_of
from ..graph.standing import ConsensusRules
from ..graph.views import TEXT_WINDOW
from ..market.cards import DataSet
from ..market.history import History
from ..memory.log import EventLog
from ..memory.recall import Recall
from ..memory.sent_orders import SentOrder
from ..quant.policy import NeutralParams, PolicyParams
from ..quant.regimes import warm_up
from ..tools.estimators import Estimators
from ..tools.scene import CostParams, Scene, on_grid
from .approval_settings import require_time_to_answer
from .errors import DeskError, SettingsInvalid
from .further_views import further_views
from .growth import named_data
from .settings import Settings


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is: its data, days, model and seed. Equal plans under equal settings have one id."""

    data: str
    sessions: tuple[date, ...]
    model: str
    seed: int

    def run_id(self, settings: Settings, limits: Limits) -> str:
        first = self.sessions[0].isoformat()
        last = "growing" if settings.growing else self.sessions[-1].isoformat()
        return short_id(
            "run", self.data, first, last, self.model, self.seed, settings.hash(), limits.hash(), __version__
        )


@dataclass(frozen=True)
class Desk:
    """A desk at work: it decides at a moment, and turns what the log says was approved back into an approval."""

    run_id: str
    settings: Settings
    limits: Limits
    data: DataSet
    history: History
    log: EventLog
    ports: Ports
    graph: DecisionGraph
    on_decision: Callable[[str], None] = lambda decision_id: None
    """Told the id of each decision as it begins."""

    def snapshot(
        self,
        session: date,
        portfolio: Portfolio,
        peak: Decimal,
        previous: Decimal,
        states: TradingStates = UNRESTRICTED,
        at: datetime | None = None,
        working: Iterable[SentOrder] = (),
        tightened: Tightened | None = None,
    ) -> Snapshot:
        """The frozen start of a decision at a session's close, or `at` a moment within the session.

        `working` are the orders of earlier plans that may still fill, `tightened` the limits people made tighter.
        """
        as_of = at or self.history.close_time(session)
        view = self.history.as_of(as_of)
        lasts = zip(self.data.universe.instruments, view.last_closes().tolist(), strict=True)
        prices = {item.symbol: on_grid(last, item.tick) for item, last in lasts if last == last}
        equity = portfolio.equity(prices)
        return Snapshot(
            as_of=as_of,
            session=session,
            symbols=view.symbols,
            prices=prices,
            portfolio=portfolio,
            equity=equity,
            peak_equity=max(peak, equity),
            previous_equity=previous,
            limits_hash=tightest(self.limits, tightened or {}).hash(),
            settings_hash=self.settings.hash(),
            data_fingerprint=view.fingerprint,
            model=self.ports.asking.model.name,
            text_ids=tuple(item.id for item in view.texts(since=as_of - TEXT_WINDOW)),
            trading_states=states,
            working=tuple(_open_order(sent, prices) for sent in working),
            tightened=dict(tightened or {}),
        )

    async def decide(self, snapshot: Snapshot, intent: Intent | None = None) -> Decision:
        self.on_decision(decision_id_of(self.run_id, snapshot, intent))
        return await self.graph.decide(snapshot, intent)

    def decide_at_once(self, snapshot: Snapshot, intent: Intent) -> Decision:
        """An intent's decision while nothing may be waited for: no model, no graph, no event loop."""
        return self.graph.decide_at_once(snapshot, intent)

    @property
    def has_memory(self) -> bool:
        """Whether lessons are written and shown."""
        return self.ports.recall is not None

    def limits_of(self, decision: Decision) -> Limits:
        """Those a decision was made under, which may be tighter than the file's: its children are held to them too."""
        return self.ports.limits_at(decision.snapshot, decision.regime)

    def approved(self, decision: Decision) -> ApprovedPlan | None:
        """The gate's approval of a recorded decision, given again for the same state; None when there was none."""
        if decision.plan is None or decision.verdict is None:
            return None
        state = self.ports.gate_state(decision.snapshot, decision.decision_id)
        verdict, approved = review_plan(decision.plan, state, self.limits_of(decision), decision.snapshot.as_of)
        if verdict != decision.verdict:
            raise DeskError(
                f"decision {decision.decision_id}: the gate answers differently than the log says",
                remedy="Run `parley verify`; the data or the limits are not those of the run.",
            )
        return approved

    def approved_nothing(self, decision: Decision) -> ApprovedPlan:
        """An approval without a leg, for a session in which no plan is worked and orders rest."""
        state = self.ports.gate_state(decision.snapshot, decision.decision_id)
        return approve_nothing(decision.decision_id, state, self.limits_of(decision), decision.snapshot.as_of)


def build_desk(
    settings: Settings,
    limits: Limits,
    data: DataSet,
    plan: RunPlan,
    log: EventLog,
    model: ChatModel,
    checkpoint_path: str | None,
    on_decision: Callable[[str], None] = lambda decision_id: None,
) -> Desk:
    """A desk for one run. Checkpoints are used only for models that are worth remembering."""
    warm_up()
    history = data.history()
    _require_resting_place(settings, data)
    require_time_to_answer(settings.approval, is_daily=history.interval is None)
    run_id = plan.run_id(settings, limits)
    ports = Ports(
        run_id=run_id,
        history=history,
        universe=data.universe,
        limits=limits,
        policy=_policy(settings, limits),
        costs=_costs(settings),
        asking=Asking(
            model,
            timeout_s=settings.llm.timeout_s,
            max_tokens=settings.llm.max_tokens,
            names=settings.llm.nodes,
            fallback=RulesModel(settings.llm.text_hit_rate) if settings.llm.fallback == "rules" else None,
        ),
        estimators=Estimators(),
        log=log,
        venue=settings.venue.name(data.recordings is not None),
        has_stops=settings.stop_loss_frac is not None,
        borrow_rate_frac=settings.venue.borrow_rate_frac,
        consensus=ConsensusRules(**settings.consensus.model_dump()),
        encoder=settings.llm.encoder,
        views=further_views(settings.agents.views),
        silent=settings.agents.silent(),
        has_debate=settings.agents.debate == "on",
        recall=Recall(log) if settings.memory == "on" else None,
    )
    graph = DecisionGraph(ports, None if model.is_deterministic else checkpoint_path)
    return Desk(run_id, settings, limits, data, history, log, ports, graph, on_decision)


def scene_at(settings: Settings, limits: Limits, data: DataSet, session: date) -> Scene:
    """A daily close as the tools look at it, with the settings' cash as equity: for questions about any weights."""
    history = data.history()
    history.require_daily("the answer")
    view = history.as_of(history.close_time(session))
    return Scene(
        view=view,
        universe=data.universe,
        portfolio=Portfolio(cash=settings.cash),
        equity=settings.cash,
        peak_equity=settings.cash,
        limits=limits,
        policy=_policy(settings, limits),
        costs=_costs(settings),
    )


def _open_order(sent: SentOrder, prices: Mapping[str, Decimal]) -> OpenOrder:
    """At worst it costs its limit; what has none, the last price."""
    child = sent.child
    return OpenOrder(
        client_order_id=child.client_order_id,
        symbol=child.symbol,
        side=child.side,
        quantity=sent.open_quantity,
        worst_price=child.limit_price or prices[child.symbol],
        stop_price=child.stop_price,
    )


def _policy(settings: Settings, limits: Limits) -> PolicyParams:
    """Raises SettingsInvalid for a book with short sales under limits without."""
    chosen = settings.policy
    if settings.book == "neutral" and not limits.allow_short:
        raise SettingsInvalid(
            "setting book is neutral, and the limits have allow_short = false",
            remedy="Name a limits_file with allow_short = true, or leave book at long.",
        )
    kind = NeutralParams if settings.book == "neutral" else PolicyParams
    return kind(vol_target=chosen.vol_target, max_gross=chosen.max_gross, dd_limit=chosen.dd_limit, band=chosen.band)


def _require_resting_place(settings: Settings, data: DataSet) -> None:
    """Raises SettingsInvalid where stops are to rest and nothing holds them."""
    if settings.stop_orders == "desk":
        return
    name = settings.venue.name(data.recordings is not None)
    if settings.stop_loss_frac is None or name == "paper":
        raise SettingsInvalid(
            f"setting stop_orders is resting, with stop_loss_frac {settings.stop_loss_frac} and venue {name}; expected "
            "a fraction, and an exchange or a router",
            remedy="Set stop_loss_frac and use --venue exchange or routed, or leave stop_orders at desk.",
        )


def _costs(settings: Settings) -> CostParams:
    return CostParams(**settings.costs.model_dump())


def run_started(settings: Settings, limits: Limits, data: DataSet, plan: RunPlan) -> RunStarted:
    """The first fact of a log: enough to run it again anywhere the data are."""
    bounds: JsonValue = limits.model_dump(mode="json")
    return RunStarted(
        run_id=plan.run_id(settings, limits),
        data=plan.data,
        data_fingerprint=named_data(settings, data, plan.sessions[0]),
        universe=data.universe,
        first_session=plan.sessions[0],
        last_session=plan.sessions[0] if settings.growing else plan.sessions[-1],
        seed=plan.seed,
        model=plan.model,
        cash=settings.cash,
        settings={**settings.public(), "limits": bounds},
        settings_hash=settings.hash(),
        limits_hash=limits.hash(),
        parley_version=__version__,
    )
