"""What the engines of a cluster need, as the settings say it; and the settings themselves.

Knows no Ray: the bot reads them, and hands them to its driver process.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Self

from engine.errors import BadSetting
from engine.ranges import Number, Whole, Written
from engine.settings import Setting

_ADDRESS = "blank, auto, or a machine's name or address and the port of its Ray, such as 10.0.0.5:6379"
_GPUS = Number(0.01, 8)
_CPUS = Whole(1, 1024)
_OPTIONAL_GPUS = f"blank, 0, or {_GPUS.allowed}; above 1 it must be whole"
MISSING = (
    "ENGINE=ray needs Ray; please install it beside Oneiro, here and on each machine of the cluster: "
    'pip install "ray>=2.40,<3".'
)


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return text == "auto" or bool(
        host and not set(host) & set("/@?# ") and port.isdecimal() and 0 < int(port) < 65536
    )


def _fit(gpus: float) -> bool:
    """Ray shares one GPU out in parts, and several as a whole."""
    return gpus == 0 or (_GPUS.fits(gpus) and (gpus <= 1 or math.floor(gpus) == gpus))


RAY_ADDRESS: Setting[str] = Setting(
    "RAY_ADDRESS",
    "",
    "With ENGINE=ray: the cluster's head; auto: whose node this machine is; blank: this machine alone.",
    Written(_ADDRESS, str, _is_address),
)
ENGINE_GPUS: Setting[float | None] = Setting(
    "ENGINE_GPUS",
    None,
    "With ENGINE=ray: GPUs an engine takes, 0.5 for two on one; blank: 1 where the cluster has any, else 0.",
    Written(_OPTIONAL_GPUS, float, lambda value: value is None or _fit(value)),
)
ENGINE_CPUS: Setting[int | None] = Setting(
    "ENGINE_CPUS",
    None,
    "With ENGINE=ray: cores an engine takes where it has no GPU; blank: all that a machine gives to Ray.",
    Written(f"blank, or {_CPUS.allowed}", int, lambda value: value is None or _CPUS.fits(value)),
)
CLUSTER_SETTINGS = (RAY_ADDRESS, ENGINE_GPUS, ENGINE_CPUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Which cluster, and what of it."""

    address: str = ""  # "": none, so that a Ray of our own begins on this machine alone
    gpus: float | None = None  # an engine's; None: 1 where the cluster has any
    cpus: int | None = None  # of an engine without a GPU; None: all of its node's
    most: int | None = None  # engines; None: as many as there is room for
    silence_s: float = 180.0  # after which an engine is taken to hang, on its node

    @classmethod
    def read(cls, environ: Mapping[str, str], *, most: int | None, silence_s: float) -> Self:
        """From the environment. Raises `BadSetting`, also where Ray is not installed."""
        needs = cls(
            address=RAY_ADDRESS.read(environ),
            gpus=ENGINE_GPUS.read(environ),
            cpus=ENGINE_CPUS.read(environ),
            most=most,
            silence_s=silence_s,
        )
        check_installed()
        return needs

    def to_json(self) -> str:
        """For the driver's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote."""
        return cls(**json.loads(text))


def check_installed() -> None:
    """Raises `BadSetting` where there is no Ray."""
    if find_spec("ray") is None:
        raise BadSetting(MISSING)
