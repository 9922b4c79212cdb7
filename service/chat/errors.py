"""What can be wrong with the chat's own files.

ParleyError
└── ChatError
    └── HistoryUnreadable  a kept conversation that is not what was written
"""

from ... import ParleyError


class ChatError(ParleyError):
    code = "chat_error"


class HistoryUnreadable(ChatError):
    code = "history_unreadable"
