"""Where the object store is: its settings, each with its range and help, and opening it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from bot.objects.folder import Folder
from bot.objects.store import Objects
from engine.errors import BadSetting
from engine.ranges import Written
from engine.settings import Setting

# What S3 calls so, and below what our names may stand.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX = re.compile(r"(?!.*\.\.)[A-Za-z0-9._/-]*", re.ASCII)


def _place(text: str) -> Path | tuple[str, str]:
    """A folder, or a bucket and a prefix in it. Raises `ValueError` when it is neither."""
    scheme, found, rest = text.partition("://")
    if not found or scheme == "file":
        path = os.path.expanduser(unquote(rest) if found else text)  # noqa: PTH111 - as of DATA_DIR
        if os.path.isabs(path) and "\0" not in path:  # noqa: PTH117 - as above
            return Path(path)
    bucket, _, prefix = rest.partition("/")
    if scheme == "s3" and _BUCKET.fullmatch(bucket) and _PREFIX.fullmatch(prefix):
        return bucket, prefix.strip("/")
    raise ValueError(text)


def _is_endpoint(text: str) -> bool:
    return urlsplit(text).scheme in ("https", "http") and bool(urlsplit(text).hostname)


OBJECTS_URL = Setting(
    "OBJECTS_URL",
    "",
    "Where pictures, films and states lie: a folder, or s3://bucket/prefix; blank: in the database.",
    Written(
        "blank, a folder's whole path, or an address that begins with file:/// or s3://",
        str,
        lambda text: bool(_place(text)),
    ),
)
AWS_ENDPOINT_URL = Setting(
    "AWS_ENDPOINT_URL",
    "",
    "With OBJECTS_URL=s3://…: the S3-compatible server, such as http://127.0.0.1:9000; blank: Amazon's.",
    Written("blank, or an address with https or http", lambda text: text.rstrip("/"), _is_endpoint),
)
AWS_REGION = Setting(
    "AWS_REGION", "us-east-1", "With OBJECTS_URL=s3://…: its region.", Written("a region's name", str)
)
AWS_ACCESS_KEY_ID = Setting(
    "AWS_ACCESS_KEY_ID",
    "",
    "With OBJECTS_URL=s3://…: the key's name; blank: the machine has a role there.",
    Written("blank, or the name of a key", str),
    secret=True,
)
AWS_SECRET_ACCESS_KEY = Setting(
    "AWS_SECRET_ACCESS_KEY",
    "",
    "With OBJECTS_URL=s3://…: the key itself.",
    Written("blank, or the key that belongs to AWS_ACCESS_KEY_ID", str),
    secret=True,
)
OBJECT_SETTINGS: tuple[Setting[Any], ...] = (
    OBJECTS_URL,
    AWS_ENDPOINT_URL,
    AWS_REGION,
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
)


@dataclass(frozen=True, slots=True)
class ObjectsAddress:
    """Of a folder, or of a bucket; falsy: there is no object store."""

    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""  # of all names in the bucket
    options: Mapping[str, str] = field(default_factory=dict, repr=False)  # of `Bucket`, with its secrets

    def __bool__(self) -> bool:
        return self.folder is not None or bool(self.bucket)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "ObjectsAddress":
        """As `OBJECT_SETTINGS` say it. Raises `BadSetting`."""
        url = OBJECTS_URL.read(environ)
        if not url:
            return cls()
        place = _place(url)
        if isinstance(place, Path):
            return cls(folder=place)
        if find_spec("obstore") is None:
            raise BadSetting("OBJECTS_URL names a bucket; please pip install obstore, which it needs.")
        key, secret = AWS_ACCESS_KEY_ID.read(environ), AWS_SECRET_ACCESS_KEY.read(environ)
        if bool(key) != bool(secret):
            raise BadSetting("Please set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither.")
        options = {
            "endpoint": AWS_ENDPOINT_URL.read(environ),
            "region": AWS_REGION.read(environ),
            "access_key_id": key,
            "secret_access_key": secret,
        }
        given = {name: value for name, value in options.items() if value}
        return cls(bucket=place[0], prefix=place[1], options=given)


def opened(address: ObjectsAddress) -> Objects | None:
    """The object store; nobody asks yet whether it is there."""
    if address.folder is not None:
        return Folder(address.folder)
    if address.bucket:
        from bot.objects.bucket import Bucket  # here: it needs the extra `objects`

        return Bucket(address.bucket, address.prefix, address.options)
    return None
