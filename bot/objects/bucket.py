"""An object store in a bucket of S3, or of a server that speaks its protocol (the extra `objects`)."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from bot.objects.store import Objects, ObjectsAway

CONNECT_S, ANSWER_S = 2.0, 30.0  # a film of some MB is long on its way
# Whoever waits is told soon; what could not be put stays in the database, and is tried again.
RETRIES, RETRY_S = 2, 4.0
PAGE = 1000  # objects of one answer
_REASON = 300  # characters


class Bucket(Objects):
    """Live."""

    def __init__(self, bucket: str, prefix: str, options: Mapping[str, str]) -> None:
        """`options`: of `obstore.store.S3Store`; without a key the machine's own role is asked for one."""
        self._bucket = bucket
        config: Any = dict(options)
        endpoint = options.get("endpoint", "")
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options={
                "connect_timeout": timedelta(seconds=CONNECT_S),
                "timeout": timedelta(seconds=ANSWER_S),
                "allow_http": endpoint.startswith("http://"),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_S)},
        )

    async def _write(self, name: str, content: bytes) -> None:
        try:
            await obstore.put_async(self._store, name, content)
        except BaseError as error:
            raise self._named(error) from error

    async def _read(self, name: str) -> bytes | None:
        try:
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError):
            return None
        except BaseError as error:
            raise self._named(error) from error

    async def _remove(self, names: list[str]) -> None:
        for name in names:  # not every server knows how to delete many at once
            try:
                await obstore.delete_async(self._store, name)
            except (NotFoundError, FileNotFoundError):
                continue
            except BaseError as error:
                raise self._named(error) from error

    async def _names(self, before: float) -> AsyncIterator[list[str]]:
        try:
            async for page in obstore.list(self._store, chunk_size=PAGE):
                yield [each["path"] for each in page if each["last_modified"].timestamp() < before]
        except BaseError as error:
            raise self._named(error) from error

    def _named(self, error: Exception) -> ObjectsAway:
        # Of a list of names obstore tells it only in words.
        if isinstance(error, PermissionDeniedError | UnauthenticatedError) or " 403 " in str(error):
            return ObjectsAway(
                f"The object store does not let us use its bucket {self._bucket}; please check "
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do there."
            )
        reason = " ".join(str(error).split("\n\nDebug source")[0].split())[:_REASON]
        return ObjectsAway(
            f"The object store's bucket {self._bucket} cannot be used; please check OBJECTS_URL, "
            f"AWS_ENDPOINT_URL and the network ({reason})."
        )
