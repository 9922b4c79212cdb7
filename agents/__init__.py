"""The four agents: they read evidence, ask a chat model for a small typed view, and vote."""
