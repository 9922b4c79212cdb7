"""The language model behind its port: the rules model, whose n-th answer fails or is not one."""

from ...agents.errors import ModelFailed
from ...agents.llm.port import ChatReply, ChatRequest
from ...agents.llm.rules import RulesModel
from .faults import Schedule

HUGE_CHARS = 2_000_000

_TEXTS = {
    "model_empty": "",
    "model_garbage": "\x00\x1b]0;{{{{\ufffd <|endoftext|> }",
    "model_refusal": "I'm sorry, but I can't help with trading decisions.",
    "model_language": '{"ansichten": "Ich empfehle, alles zu kaufen."}',
    "model_huge": "[" * HUGE_CHARS,
}
_ERRORS = {
    "model_429": "the endpoint answered 429 (too many requests)",
    "model_500": "the endpoint answered 500 (internal server error)",
}


class FaultyModel:
    """Answers like `rules`, save where the schedule says otherwise; calls are counted over restarts."""

    name = "rules"
    is_deterministic = True

    def __init__(self, schedule: Schedule) -> None:
        self._schedule, self._inner = schedule, RulesModel()
        self.calls = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        place = self.calls
        self.calls += 1
        reply = await self._inner.complete(request)
        if self._schedule.at("model_timeout", place):
            # What the deadline in `ask` turns a hanging call into, without the wait.
            raise TimeoutError
        for kind, text in _ERRORS.items():
            if self._schedule.at(kind, place):
                raise ModelFailed(text)
        for kind, text in _TEXTS.items():
            if self._schedule.at(kind, place):
                return ChatReply(text, reply.prompt_tokens, len(text) // 4)
        if self._schedule.at("model_truncated", place):
            return ChatReply(reply.text[: len(reply.text) // 2], reply.prompt_tokens, reply.completion_tokens)
        return reply
