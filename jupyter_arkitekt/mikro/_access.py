"""Where the pixels of an array lie, and credentials that renew themselves.

An `ArrayPlace` is all that a dask graph carries. It pickles: on the other side it goes to that process's own app, and
where there is none, it lives on the grant that it brought along, which reads one array until it expires.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import NotConnectedError
from jupyter_arkitekt.models.mikro import Grant, ZarrAccessGrant, ZarrStore
from jupyter_arkitekt.transport import store as open_store

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3Store

#: Seconds before its end from which on a grant is not used any more.
MARGIN = 60.0


def credential(grant: Grant, expires: datetime | None) -> S3Credential:
    """Return a grant as obstore wants it."""
    return {
        "access_key_id": grant.access_key,
        "secret_access_key": grant.secret_key,
        "token": grant.session_token or None,
        "expires_at": expires,
    }


class ArrayPlace:
    """One stored array and the way to it.

    Parameters
    ----------
    store
        The array's store.
    app
        App whose services are asked.
    """

    def __init__(self, store: ZarrStore, app: AppLike) -> None:
        self.store_id = store.id
        self.bucket = store.bucket
        self.key = store.key
        self.service = app.endpoint("mikro")
        self.endpoint = app.endpoint("s3")
        self._app: AppLike | None = app
        self._grant: tuple[ZarrAccessGrant, datetime] | None = None
        self._asking: asyncio.Task[S3Credential] | None = None
        self._objects: S3Store | None = None

    def __repr__(self) -> str:
        return f"<ArrayPlace {self.bucket}/{self.key}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_app": None, "_asking": None, "_objects": None}

    def __dask_tokenize__(self) -> tuple[str, ...]:
        return (type(self).__name__, self.endpoint, self.bucket, self.key)

    @property
    def identity(self) -> tuple[str, str, str]:
        """What tells this array from all others."""
        return self.endpoint, self.bucket, self.key

    def objects(self) -> S3Store:
        """Return the object store of what lies here, levels included; it serves async operations, on any loop."""
        if self._objects is None:  # a client of its own each time would cost 10 ms
            self._objects = open_store(self.endpoint, self._credential, self.bucket, self.key)
        return self._objects

    async def _credential(self) -> S3Credential:
        # Asked by obstore on whichever loop reads; the services are spoken to on the background loop only.
        return await bridge.on_loop(self._valid())

    async def _valid(self) -> S3Credential:
        if self._grant is not None and self._grant[1] - datetime.now(UTC) > timedelta(seconds=MARGIN):
            return credential(*self._grant)
        if self._asking is None or self._asking.done():
            # One question for all levels and threads that find the grant expired.
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> S3Credential:
        app = self._current()
        if app is None:
            if self._grant is not None:
                return credential(*self._grant)
            raise NotConnectedError(
                "This process has no app that could ask for access to the pixels. Sign in here as well, by "
                '`with easy("name"):`, or compute with `scheduler="threads"`.'
            )
        before = datetime.now(UTC)
        grant = await app.service("mikro").mutate(
            "requestZarrAccess", ZarrAccessGrant, input={"storeId": self.store_id}
        )
        self._grant = grant, before + timedelta(seconds=grant.expires_in)
        return credential(*self._grant)

    def _current(self) -> AppLike | None:
        if self._app is None:
            app = context.current_or_none()
            # Ids of one deployment mean something else at another.
            if app is not None and app.endpoint("mikro") == self.service:
                self._app = app
        return self._app
