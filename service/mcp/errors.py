"""What can be wrong with a call over the Model Context Protocol, beside what the desk itself refuses.

ParleyError
└── McpError
    ├── UnknownTool      no tool has this name
    ├── UnknownResource  no report lies under this address
    └── BadSetUp         options of `parley mcp` that do not go together
"""

from ... import ParleyError


class McpError(ParleyError):
    code = "mcp_error"


class UnknownTool(McpError):
    code = "unknown_tool"


class UnknownResource(McpError):
    code = "unknown_resource"


class BadSetUp(McpError):
    code = "bad_set_up"
