"""A pair's models, loaded: ready to dream, with their atlas."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from engine.dreaming.safety import SafetyCheck
from engine.models import generator, memory, perceptor, registry
from engine.search import atlas

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """A generator and its perceptor on their device."""

    pair: registry.Pair
    fingerprint: str  # of the pair's weights
    generator: generator.Panel
    perceptor: perceptor.Perceptor
    chunk: int  # how many views the perceptor sees at once
    unsafe: Callable[[Tensor], str]  # what a picture [3, h, w] has that not everybody wants to see, or ""
    device: torch.device
    data_dir: Path

    @classmethod
    def load(cls, pair: registry.Pair, device: torch.device, data_dir: Path) -> Self:
        """Load the pair's models. Raises `ModelError`, or `OutOfMemory` before there is too little."""
        memory.check_room(pair.model, memory.need(pair), memory.free(device))
        with ThreadPoolExecutor(1, thread_name_prefix="fingerprint") as beside:  # which needs no Python
            mark = beside.submit(registry.fingerprint, pair)
            generate = generator.load(pair.generator, pair.generator_name, device)
            perceive = perceptor.load_all(pair.perceptors, pair.perceptor_names, device)
            chunk = memory.views_at_once(perceive, device)
        unsafe = SafetyCheck(perceive) if pair.model.checked else _harmless
        return cls(pair, mark.result(), generate, perceive, chunk, unsafe, device, data_dir)

    def atlas(self) -> Tensor:
        """The pair's atlas: the one that lies beside the generator, or one made here and kept."""
        folder, mark = self.pair.generator, self.fingerprint
        own = self.data_dir / f"atlas-{mark[:16]}.safetensors"
        for path in (folder.parent / atlas.FILE, own):
            kept = atlas.read(path, mark)
            if kept is not None:
                return kept
        log.info("Looking at every class once, so that dreams can start well; this happens only once.")
        made = atlas.make(self.generator, self.perceptor, self.device, atlas.read_names(folder))
        try:
            atlas.write(own, made, mark)
        except OSError as error:
            log.warning("The atlas could not be kept in %s: %s.", own, error)
        return made


def _harmless(_picture: Tensor) -> str:
    """Models that know nothing unsafe show nothing unsafe."""
    return ""
