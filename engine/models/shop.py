"""How missing models are fetched: the settings of the network. Knows nothing of how it is done.

`engine.models.download` does it, which a dream whose models are here need not load.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.models.catalogue import RemoteFile, RemoteModel
from engine.proxies import check_proxies
from engine.settings import MODEL_MIRRORS, OFFLINE

PAUSE_S, STALL_S = 1.0, 30.0  # see `engine.models.transfer.Transfer`


@dataclass(frozen=True)
class Shop:
    """How to fetch: the settings of the network."""

    mirrors: tuple[str, ...] = ()  # addresses tried before the published ones, as ADDRESS/<folder>/<file>
    offline: bool = False
    stall_s: float = STALL_S
    pause_s: float = PAUSE_S

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Shop":
        """From the settings `MODEL_MIRRORS` and `OFFLINE`; a proxy is asked for by requests itself.

        Raises `BadSetting`, also for a proxy that cannot be used.
        """
        check_proxies()
        return cls(MODEL_MIRRORS.read(environ), OFFLINE.read(environ))

    def urls(self, model: RemoteModel, file: RemoteFile) -> tuple[str, ...]:
        """Every address of a file, the first to try first."""
        return tuple(f"{m.rstrip('/')}/{model.folder}/{file.name}" for m in self.mirrors) + file.urls
