"""The one metadata that all tables are declared on."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Version of the tables that this program reads and writes.
SCHEMA_VERSION = 1

#: One row: the version of the tables in this database.
schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))
