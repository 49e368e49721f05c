"""Tables of identity: who may come in, with which app, by which secret.

No secret is stored: tokens and client secrets are random or derived 32-byte values, of which the table keeps the
SHA-256. Passwords are kept as scrypt hashes. Times are seconds since the epoch, in UTC.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, String, Table, UniqueConstraint

from jupyter_arkitekt.server.db.metadata import metadata

organisations = Table(
    "organisations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(255), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("created_at", Float, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("username", String(150), nullable=False, unique=True),
    Column("password", String(255)),  # NULL: signs in by one-time tokens only
    Column("roles", JSON, nullable=False),
    Column("owner", Boolean, nullable=False, default=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("created_at", Float, nullable=False),
)

#: One app of one person on one machine: (identifier, version, user, organisation, node).
clients = Table(
    "clients",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("client_id", String(36), nullable=False, unique=True),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("identifier", String(255), nullable=False),
    Column("version", String(255), nullable=False),
    Column("node", String(64), nullable=False),  # "" when the app names no machine
    Column("created_at", Float, nullable=False),
    UniqueConstraint("identifier", "version", "user_id", "organisation_id", "node"),
)

#: One registration of a client: what the claim token stands for.
claims = Table(
    "claims",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("secret_hash", String(64), nullable=False),
    Column("client", ForeignKey("clients.id"), nullable=False, index=True),
    Column("manifest", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
)

redeem_tokens = Table(
    "redeem_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("user_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("uses_left", Integer, nullable=False),
    Column("expires_at", Float),
    Column("revoked", Boolean, nullable=False, default=False),
    Column("standing", Boolean, nullable=False, default=False),  # the one in the owner's file
    Column("created_at", Float, nullable=False),
)

#: Who redeemed what: the same token with the same manifest gives the same claim again.
redemptions = Table(
    "redemptions",
    metadata,
    Column("redeem_token", ForeignKey("redeem_tokens.id"), primary_key=True),
    Column("manifest_hash", String(64), primary_key=True),
    Column("claim", ForeignKey("claims.id"), nullable=False),
)

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("client", ForeignKey("clients.id"), nullable=False, index=True),
    Column("scopes", JSON, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
    Column("created_at", Float, nullable=False),
)

device_codes = Table(
    "device_codes",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("status", String(16), nullable=False),  # pending, granted, denied
    Column("user_id", ForeignKey("users.id")),
    Column("expires_at", Float, nullable=False, index=True),
    Column("created_at", Float, nullable=False),
)
