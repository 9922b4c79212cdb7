"""What the configured language model can do, for the `doctor` command, and whether it answers now."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from ..agents.llm.local_model import PREFIX, LocalWire
from ..agents.llm.probe import Profile, ping, probe
from ..desk.clock import elapsed_s
from ..desk.llm_settings import LlmSettings
from ..desk.models import endpoint_wire, price_table

PING_S, LOOK_S = 5.0, 0.05
"""How long a tiny answer may take, and how long a wait for it goes on before it looks whether it is called off."""
Line = tuple[str, str, str]
"""What, its state (ok, optional or bad), and a text."""


def probe_model(llm: LlmSettings) -> list[Line]:
    """Five tiny questions to the model; each that it can't answer in the form asked for has a line of its own."""
    return asyncio.run(_probed(llm))


def unanswered(names: Sequence[str], llm: LlmSettings, is_called: Callable[[], bool] = lambda: False) -> str:
    """Which of the endpoint's models gives no answer to a tiny question, and why; empty when all answer.

    Asked on a thread with a loop of its own, so that whoever runs in one can ask; called off, nothing was found.
    """
    found: list[str] = []
    thread = Thread(target=lambda: found.append(asyncio.run(_pinged(names, llm))), name="parley-ping", daemon=True)
    thread.start()
    while thread.is_alive() and not is_called():
        thread.join(LOOK_S)
    return found[0] if found else f"{names[0]} was not asked to the end whether it answers"


async def _pinged(names: Sequence[str], llm: LlmSettings) -> str:
    wire, timeout_s = endpoint_wire(llm), min(llm.timeout_s, PING_S)
    try:
        for name in names:
            if why := await ping(wire, name, timeout_s):
                return f"{name} at {wire.where} does not answer: {why}"
    finally:
        await wire.close()
    return ""


async def _probed(llm: LlmSettings) -> list[Line]:
    if llm.model is not None and llm.model.startswith(PREFIX):
        local = LocalWire(Path(llm.model.removeprefix(PREFIX)))
        profile = await probe(local, llm.model, llm.timeout_s, elapsed_s)
        return _lines(llm, llm.model, local.where, profile)
    wire = endpoint_wire(llm)
    try:
        listed = await wire.models()
        name = llm.model or next(iter(listed), None)
        if name is None:
            return [("model", "bad", f"{wire.where} lists no model; name one with PARLEY_LLM_MODEL")]
        return _lines(llm, name, wire.where, await probe(wire, name, llm.timeout_s, elapsed_s))
    finally:
        await wire.close()


def _lines(llm: LlmSettings, name: str, where: str, profile: Profile) -> list[Line]:
    if profile.failure:
        return [("model", "bad", f"{name} at {where}: {profile.failure}; check the address, the key and the name")]
    advice = profile.advice()
    text = f"{name} at {where} answers in {profile.seconds:.1f} s"
    lines = [("model", "ok", f"{text}; {advice}" if advice else text)]
    lines += [(f"model: {item.name}", "ok" if item.is_able else "optional", item.text) for item in profile.traits]
    prices = price_table(llm)
    if prices is not None:
        prices.cost(name, 0, 0)
        lines.append(("model: price", "ok", f"in {prices.currency}, as of {prices.day}"))
    return lines
