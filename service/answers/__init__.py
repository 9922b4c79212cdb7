"""What the desk can be asked, answered from its record: one table for chat, API, MCP and notebooks."""
