"""Each node's own model: a small one may read texts while a larger one weighs them."""

from collections.abc import Mapping

from .port import ChatModel, ChatReply, ChatRequest


class RoutedModel:
    """Sends a node's questions to the model that was named for it, and all others to the usual one."""

    is_deterministic = False

    def __init__(self, usual: ChatModel, by_node: Mapping[str, ChatModel]) -> None:
        self._usual = usual
        self._by_node = dict(by_node)
        self.name = usual.name

    async def complete(self, request: ChatRequest) -> ChatReply:
        return await self._by_node.get(request.node, self._usual).complete(request)
