"""Attempts as processes of this machine, the embedded default (DESIGN §5)."""

from forgeyard.executors.local.executor import LocalExecutor

__all__ = ["LocalExecutor"]
