"""The operator's chat: a question in anybody's words, answered from the record or shown as a request with a token."""
