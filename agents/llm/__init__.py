"""Chat models behind one port: rules, recordings, a gateway to any OpenAI-compatible endpoint, and local files."""
