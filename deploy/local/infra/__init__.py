"""Kafka, MongoDB and a mail server behind one interface, with three backends named by MALOTE_INFRA."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

from deploy.local.infra.ports import PARTS, Addresses, Infra, InfraError, Options, Part

__all__ = ["PARTS", "Addresses", "Infra", "InfraError", "Options", "Part", "backend_name", "open_infra"]

_BACKENDS = {
    "processes": ("deploy.local.infra.processes", "Processes"),
    "containers": ("deploy.local.infra.containers", "Containers"),
    "external": ("deploy.local.infra.external", "External"),
}


def backend_name() -> str:
    """The backend asked for by MALOTE_INFRA, `processes` when unset; raises `InfraError` on any other word."""
    name = os.environ.get("MALOTE_INFRA") or "processes"
    if name not in _BACKENDS:
        raise InfraError(f"MALOTE_INFRA={name}: say one of {', '.join(_BACKENDS)}")
    return name


def open_infra(options: Options) -> Infra:
    """The chosen backend, not yet started. A backend that cannot run fails: there is no falling back to another."""
    module, name = _BACKENDS[backend_name()]
    try:
        backend: Callable[[Options], Infra] = getattr(importlib.import_module(module), name)
    except ImportError as missing:
        raise InfraError(f"the {backend_name()} backend cannot be loaded: {missing}") from missing
    return backend(options)
