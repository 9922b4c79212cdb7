"""The seam to LangChain: any of its chat models behind our port, and our rules as one of its chat models."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from ..errors import ModelFailed
from .port import FENCE, ChatReply, ChatRequest, request_tokens, rough_tokens
from .rules import rules_reply


class LangChainModel:
    """A LangChain chat model as the desk sees it: one message pair in, text and usage out."""

    is_deterministic = False

    def __init__(self, chat: BaseChatModel, name: str, *, with_schema: bool = True) -> None:
        self._chat = chat
        self._with_schema = with_schema
        self.name = name

    async def complete(self, request: ChatRequest) -> ChatReply:
        messages = [
            SystemMessage(request.prompt.system, additional_kwargs={"prompt": request.prompt.name}),
            HumanMessage(request.user),
        ]
        options: dict[str, Any] = {"max_tokens": request.max_tokens}
        if self._with_schema:
            options["response_format"] = _response_format(request)
        try:
            message = await self._chat.ainvoke(messages, **options)
        except Exception as error:
            # Every SDK has its own tree of errors; whatever it raises, there is no reply. Its text is left
            # out: it may quote the endpoint's answer, the key or the prompt, and this one goes to the log.
            status = getattr(error, "status_code", None)
            text = f"{self.name}: {type(error).__name__}" + (f" (HTTP {status})" if isinstance(status, int) else "")
            raise ModelFailed(text, remedy="Check the endpoint, the key and the model's name.") from error
        usage = getattr(message, "usage_metadata", None) or {}
        text = str(message.text)
        return ChatReply(
            text=text,
            prompt_tokens=int(usage.get("input_tokens", request_tokens(request))),
            completion_tokens=int(usage.get("output_tokens", rough_tokens(text))),
        )


def openai_model(name: str, base_url: str | None, api_key: str, timeout_s: float) -> LangChainModel:
    """Any OpenAI-compatible endpoint, over Chat Completions; retries belong to the caller, not the SDK."""
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    chat = ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=SecretStr(api_key),
        timeout=timeout_s,
        max_retries=0,
        temperature=0.0,
        seed=0,
        use_responses_api=False,
    )
    return LangChainModel(chat, name)


def _response_format(request: ChatRequest) -> dict[str, Any]:
    schema = {"name": request.reply_type.__name__, "schema": request.reply_schema, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


class RulesChatModel(BaseChatModel):
    """The rules as a LangChain chat model, for code that speaks LangChain; it answers as RulesModel does."""

    @property
    def _llm_type(self) -> str:
        return "parley-rules"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        prompt = str(messages[0].additional_kwargs.get("prompt", "")) if messages else ""
        user = str(messages[-1].text) if messages else ""
        text = rules_reply(prompt, _fenced(user))
        usage = {
            "input_tokens": sum(rough_tokens(str(message.text)) for message in messages),
            "output_tokens": rough_tokens(text),
        }
        usage["total_tokens"] = sum(usage.values())
        message = AIMessage(text, usage_metadata=usage)  # pyright: ignore[reportArgumentType]  # a TypedDict at run time
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages, stop)


def _fenced(text: str) -> str:
    opening = f"{FENCE}json\n"
    start = text.find(opening)
    end = text.find(f"\n{FENCE}", start + len(opening))
    return text[start + len(opening) : end] if 0 <= start < end else "{}"
