"""What ran where and since when, read from the config repository's own history."""

from __future__ import annotations

from gitops_ci.flows.history.compare import CompareRequest, compare
from gitops_ci.flows.history.flow import HistoryRequest, history
from gitops_ci.flows.history.host import Host
from gitops_ci.flows.history.source import Source
from gitops_ci.flows.history.status import StatusRequest, status

__all__ = ["CompareRequest", "HistoryRequest", "Host", "Source", "StatusRequest", "compare", "history", "status"]
