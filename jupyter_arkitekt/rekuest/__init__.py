"""Functions that run elsewhere, and functions that run here for others."""

from __future__ import annotations

from jupyter_arkitekt.rekuest._calls import (
    aactions,
    acall,
    actions,
    afind,
    astart,
    atasks,
    call,
    find,
    start,
    tasks,
)
from jupyter_arkitekt.rekuest._current import Stopped, log, progress
from jupyter_arkitekt.rekuest._define import define
from jupyter_arkitekt.rekuest._functions import Function, FunctionRegistry, functions, register
from jupyter_arkitekt.rekuest._hosting import agent_of, host, serve, serve_until_stopped
from jupyter_arkitekt.rekuest._markers import Description, broken_rule
from jupyter_arkitekt.rekuest._structures import Structure, StructureRegistry, structures
from jupyter_arkitekt.rekuest._task import Task

__all__ = [
    "Description",
    "Function",
    "FunctionRegistry",
    "Stopped",
    "Structure",
    "StructureRegistry",
    "Task",
    "aactions",
    "acall",
    "actions",
    "afind",
    "agent_of",
    "astart",
    "atasks",
    "broken_rule",
    "call",
    "define",
    "find",
    "functions",
    "host",
    "log",
    "progress",
    "register",
    "serve",
    "serve_until_stopped",
    "start",
    "structures",
    "tasks",
]
