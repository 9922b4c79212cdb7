"""Chat models behind one port: deterministic rules, any OpenAI-compatible endpoint, and recorded replies."""
