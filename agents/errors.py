"""Errors of the agents and their models.

ParleyError
└── AgentError
    ├── ModelFailed     the model or its endpoint failed: time-out, refusal, connection, HTTP error
    ├── ReplayMiss      a replay asked for a reply that was never recorded
    └── ModelNotSet     a model was named that is not configured
"""

from .. import ParleyError


class AgentError(ParleyError):
    code = "agent_error"


class ModelFailed(AgentError):
    code = "model_failed"


class ReplayMiss(AgentError):
    code = "replay_miss"


class ModelNotSet(AgentError):
    code = "model_not_set"
