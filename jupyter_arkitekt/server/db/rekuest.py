"""Tables of rekuest: who offers what, what ran, and what it said.

Times are seconds since the epoch (UTC). What a client sent as JSON is stored as it came. A *party* is the triple of
client, user and organisation that both a caller and an agent are known by.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from jupyter_arkitekt.server.db.metadata import metadata


def _table(name: str, *columns: Any) -> Table:
    # An id is never given twice: an old drawer or implementation must not turn into somebody else's.
    return Table(name, metadata, Column("id", Integer, primary_key=True), *columns, sqlite_autoincrement=True)


def _json(name: str) -> Column[object]:
    return Column(name, JSON(none_as_null=True))


def _to(name: str, table: str, *, null: bool = False, keep: bool = False) -> Column[int]:
    """Return a reference to `table`; the row goes with the other one, or (`keep`) stays and forgets it."""
    key = ForeignKey(f"{table}.id", ondelete="SET NULL" if keep else "CASCADE")
    return Column(name, Integer, key, nullable=null or keep)


party = _table(
    "rekuest_party",
    Column("client_id", Text, nullable=False),
    Column("user_id", Integer, nullable=False),
    Column("organisation_id", Integer, nullable=False),
    Column("sub", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("device", Text),
    UniqueConstraint("client_id", "user_id", "organisation_id"),
)

agent = _table(
    "rekuest_agent",
    Column("party_id", ForeignKey("rekuest_party.id"), nullable=False, unique=True),
    Column("organisation_id", Integer, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("blocked", Boolean, nullable=False),
    Column("session", Text),
    _json("locks"),
    Column("last_seen", Double),
    Column("created_at", Double, nullable=False),
)

action = _table(
    "rekuest_action",
    Column("organisation_id", Integer, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("app", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("kind", Text, nullable=False),
    _json("args"),
    _json("returns"),
    _json("port_groups"),
    _json("collections"),
    _json("interfaces"),
    _json("test_targets"),
    Column("logo", Text),
    Column("stateful", Boolean, nullable=False),
    Column("pure", Boolean, nullable=False),
    Column("idempotent", Boolean, nullable=False),
    Column("allow_probe", Boolean, nullable=False),
    Column("is_dev", Boolean, nullable=False),
    Column("defined_at", Double, nullable=False),
    UniqueConstraint("organisation_id", "app", "key", "version"),
    Index("ix_rekuest_action_hash", "organisation_id", "hash"),
)

implementation = _table(
    "rekuest_implementation",
    _to("agent_id", "rekuest_agent"),
    _to("action_id", "rekuest_action"),
    Column("interface", Text, nullable=False),
    _json("params"),
    _json("dependencies"),
    _json("tracks"),
    _json("locks"),
    _json("optimistics"),
    _json("manipulates"),
    _json("provenance_audience"),
    Column("needs_token", Boolean, nullable=False),
    Column("effect", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("agent_id", "interface"),
    Index("ix_rekuest_implementation_action", "action_id"),
)

state = _table(
    "rekuest_state",
    _to("agent_id", "rekuest_agent"),
    Column("interface", Text, nullable=False),
    Column("key", Text),
    Column("app", Text),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),
    _json("ports"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("agent_id", "interface"),
)

session = _table(
    "rekuest_session",
    _to("agent_id", "rekuest_agent"),
    Column("session", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("ended_at", Double),
    UniqueConstraint("agent_id", "session"),
)

snapshot = _table(
    "rekuest_snapshot",
    _to("session_id", "rekuest_session"),
    _to("state_id", "rekuest_state"),
    Column("revision", Integer, nullable=False),
    _json("value"),
    Column("timestamp", Double, nullable=False),
    Index("ix_rekuest_snapshot_state", "state_id", "session_id", "revision"),
)

patch = _table(
    "rekuest_patch",
    _to("session_id", "rekuest_session"),
    _to("state_id", "rekuest_state"),
    Column("revision", Integer, nullable=False),
    Column("op", Text, nullable=False),
    Column("path", Text, nullable=False),
    _json("value"),
    _json("old_value"),
    Column("task_id", Integer),
    Column("timestamp", Double, nullable=False),
    Index("ix_rekuest_patch_state", "state_id", "session_id", "revision"),
)

drawer = _table(
    "rekuest_drawer",
    _to("agent_id", "rekuest_agent"),
    Column("identifier", Text, nullable=False),
    Column("resource_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("description", Text),
    Column("created_at", Double, nullable=False),
)

task = _table(
    "rekuest_task",
    Column("organisation_id", Integer, nullable=False),
    Column("party_id", ForeignKey("rekuest_party.id"), nullable=False),
    Column("reference", Text, nullable=False),
    _json("args"),
    Column("args_hash", Text, nullable=False),
    Column("action_id", ForeignKey("rekuest_action.id"), nullable=False),
    Column("action_hash", Text, nullable=False),
    _to("implementation_id", "rekuest_implementation", keep=True),
    _to("agent_id", "rekuest_agent", keep=True),
    Column("interface", Text, nullable=False),
    _to("parent_id", "rekuest_task", keep=True),
    _to("root_id", "rekuest_task", keep=True),
    Column("dependency", Text),
    Column("dependency_method", Text),
    _json("dependencies"),
    _json("cleanup_hooks"),
    Column("resolution", Text),
    Column("over_socket", Boolean, nullable=False),
    Column("capture", Boolean, nullable=False),
    Column("step", Boolean, nullable=False),
    Column("ephemeral", Boolean, nullable=False),
    Column("idempotent", Boolean, nullable=False),
    Column("physical", Boolean, nullable=False),
    Column("session", Text),
    Column("is_done", Boolean, nullable=False),
    Column("latest_event_kind", Text, nullable=False),
    Column("latest_instruct_kind", Text, nullable=False),
    Column("status_message", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Column("finished_at", Double),
    Index("ix_rekuest_task_open", "is_done", "agent_id"),
    Index("ix_rekuest_task_reference", "party_id", "reference"),
    Index("ix_rekuest_task_created", "organisation_id", "created_at"),
    Index("ix_rekuest_task_parent", "parent_id"),
    Index("ix_rekuest_task_root", "root_id"),
    Index("ix_rekuest_task_reuse", "action_id", "args_hash"),
)

task_event = _table(
    "rekuest_task_event",
    _to("task_id", "rekuest_task"),
    Column("kind", Text, nullable=False),
    Column("message", Text),
    Column("progress", Integer),
    _json("returns"),
    Column("level", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_rekuest_task_event_task", "task_id"),
)

task_instruct = _table(
    "rekuest_task_instruct",
    _to("task_id", "rekuest_task"),
    Column("kind", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("ix_rekuest_task_instruct_task", "task_id"),
)

resolution = _table(
    "rekuest_resolution",
    Column("organisation_id", Integer, nullable=False),
    _to("implementation_id", "rekuest_implementation"),
    Column("creator_id", ForeignKey("rekuest_party.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    _json("mapping"),
    Column("resolved_at", Double, nullable=False),
)

toolbox = _table(
    "rekuest_toolbox",
    Column("organisation_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
)

shortcut = _table(
    "rekuest_shortcut",
    Column("organisation_id", Integer, nullable=False),
    _to("action_id", "rekuest_action"),
    _to("toolbox_id", "rekuest_toolbox", keep=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    _json("saved_args"),
    Column("allow_quick", Boolean, nullable=False),
    Column("use_returns", Boolean, nullable=False),
    Column("bind_number", Integer),
)

test_case = _table(
    "rekuest_test_case",
    Column("organisation_id", Integer, nullable=False),
    _to("action_id", "rekuest_action"),
    _to("tester_id", "rekuest_action"),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
)

test_result = _table(
    "rekuest_test_result",
    Column("organisation_id", Integer, nullable=False),
    _to("case_id", "rekuest_test_case"),
    _to("implementation_id", "rekuest_implementation"),
    _to("tester_id", "rekuest_implementation"),
    Column("passed", Boolean, nullable=False),
    Column("result", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

blok = _table(
    "rekuest_blok",
    Column("organisation_id", Integer, nullable=False),
    Column("creator_id", ForeignKey("rekuest_party.id"), nullable=False),
    _to("agent_id", "rekuest_agent", null=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("catalog", Text),
    _json("dependencies"),
    _json("components"),
    _json("demo_state"),
)

dashboard = _table(
    "rekuest_dashboard",
    Column("organisation_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
)

materialized_blok = _table(
    "rekuest_materialized_blok",
    Column("organisation_id", Integer, nullable=False),
    _to("blok_id", "rekuest_blok"),
    _to("dashboard_id", "rekuest_dashboard", keep=True),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

blok_mapping = _table(
    "rekuest_blok_mapping",
    _to("materialized_blok_id", "rekuest_materialized_blok"),
    _to("agent_id", "rekuest_agent"),
    Column("key", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

media = _table(
    "rekuest_media",
    Column("organisation_id", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("original_file_name", Text, nullable=False),
    Column("content_type", Text),
    Column("finished", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
)

threed_model = _table(
    "rekuest_threed_model",
    Column("organisation_id", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    _to("media_id", "rekuest_media"),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

space = _table(
    "rekuest_space",
    Column("organisation_id", Integer, nullable=False),
    Column("creator_id", ForeignKey("rekuest_party.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

placement = _table(
    "rekuest_placement",
    _to("space_id", "rekuest_space"),
    _to("agent_id", "rekuest_agent"),
    _to("model_id", "rekuest_threed_model", keep=True),
    _to("blok_id", "rekuest_materialized_blok", keep=True),
    Column("role", Text, nullable=False),
    _json("affine_matrix"),
    Column("created_at", Double, nullable=False),
)
