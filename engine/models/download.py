"""Fetches the files of the large models, once: each mirror in turn, checked, whole or not at all."""

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from engine.errors import DiskError, ModelError, StoppedEarly
from engine.models import contents
from engine.models.catalogue import MIB, RemoteFile, RemoteModel
from engine.models.checksums import fault, pin, sha256_of
from engine.models.registry import EMBEDDED
from engine.models.shop import Shop
from engine.models.transfer import Refused, Told, Transfer, Unavailable
from engine.sentences import Key

log = logging.getLogger(__name__)

TOLD_EVERY_S = 0.5
_SCRATCH = ".fetching"  # folder of half files, beside the models'

Proof = Callable[[Path], None]  # loads the model in a folder; raises `ModelError`


class FetchError(ModelError):
    """A model could not be fetched."""


def fetch(
    model: RemoteModel, models: Path, shop: Shop, told: Told, proof: Proof | None = None, doubt: bool = False
) -> Path:
    """Make `models`/`model.folder` hold every file of the model; returns that folder.

    A file that is there stays, unless one can see that it is another thing (`engine.models.contents`), or
    unless `doubt`, which asks of each what `engine.models.installed.verify` asks, says that it is damaged.
    `proof` says whether weights that came fit. A second process that wants the same waits for the first.
    Raises `FetchError` that says what each mirror did and which file to put where by hand, or `DiskError`.
    """
    folder = models / model.folder
    lock = FileLock(models / f".{model.folder}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                lock.acquire(timeout=1)
                break
            except Timeout:
                told("", 0, 0)  # another process fetches it; whoever listens may give up
        try:
            for choice in _wanting(model, folder, proof, doubt):
                _fetch_one_of(choice, model, folder, shop, told, proof)
            shutil.rmtree(models / _SCRATCH / folder.name, ignore_errors=True)
        finally:
            lock.release()
    except OSError as error:
        reason = str(error.strerror or error)
        raise DiskError(Key.MODEL_NOT_KEPT, model=model.name, folder=str(folder), reason=reason) from error
    return folder


def chosen(choice: Sequence[RemoteFile], folder: Path) -> RemoteFile | None:
    """Which file of a choice is here, unread: of two weights the one that `engine.models.files` reads."""
    found = [file for file in choice if (folder / file.name).is_file()]
    return min(found, key=lambda file: file.name != contents.SAFETENSORS, default=None)


def _wanting(
    model: RemoteModel, folder: Path, proof: Proof | None, doubt: bool
) -> list[tuple[RemoteFile, ...]]:
    """The choices of which no file is here that will do."""
    found = [(choice, chosen(choice, folder)) for choice in model.files]
    wanting = [
        choice
        for choice, file in found
        if file is None
        or (fault(file, folder / file.name) if doubt else contents.objection(folder / file.name, file.keys))
    ]
    if doubt and proof is not None and not wanting:
        try:
            proof(folder)
        except ModelError as error:
            log.warning("%s", error)
            wanting = [choice for choice, file in found if file is not None and file.sha256 is None]
            if not wanting:
                raise
    return wanting


@dataclass(frozen=True)
class Arrived:
    """How far a file has come."""

    file: str  # "": another process fetches this model, and we wait for it
    done: int  # bytes
    total: int  # bytes; 0: unknown


def steps(
    model: RemoteModel,
    models: Path,
    shop: Shop,
    should_stop: Callable[[], bool],
    proof: Proof | None = None,
    doubt: bool = False,
) -> Iterator[Arrived]:
    """`fetch` as an iterator that tells about twice a second how far it is.

    `should_stop` is asked as often; then raises `StoppedEarly`. Raises what `fetch` raises.
    """
    news: list[Arrived] = []
    given_up = threading.Event()

    def told(file: str, done: int, total: int) -> None:
        if given_up.is_set():
            raise StoppedEarly
        news[:] = [Arrived(file, done, total)]

    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as pool:
        fetching = pool.submit(fetch, model, models, shop, told, proof, doubt)
        try:
            while not fetching.done():
                wait([fetching], timeout=TOLD_EVERY_S)
                if should_stop():
                    raise StoppedEarly
                if news:
                    yield news.pop()
        finally:
            given_up.set()  # its next chunk ends the thread, or a mirror's stall does
        fetching.result()


def _fetch_one_of(
    choice: Sequence[RemoteFile],
    model: RemoteModel,
    folder: Path,
    shop: Shop,
    told: Told,
    proof: Proof | None,
) -> None:
    faults: list[str] = []
    if shop.offline:
        faults.append("fetching is switched off by OFFLINE")
    else:
        for file in choice:
            for url in shop.urls(model, file):
                try:
                    path, sha256 = _fetch_file(url, file, model, folder, shop, told)
                    if proof is not None and file in model.weights:
                        _prove(path, file, folder, proof)
                    path.chmod(0o644)
                    size = path.stat().st_size
                    path.replace(folder / file.name)
                    pin(folder, file.name, sha256, size)
                    for other in choice:
                        if other is not file:  # it was not here, or no good; two would be one too many
                            (folder / other.name).unlink(missing_ok=True)
                    return
                except Unavailable:
                    faults.append(f"{_host(url)} does not have {file.name}")
                except Refused as error:
                    faults.append(f"{_host(url)} {error}")
                    log.warning("%s %s", _host(url), error)
    raise FetchError(by_hand(model, folder, "; ".join(dict.fromkeys(faults))))


def _prove(path: Path, file: RemoteFile, folder: Path, proof: Proof) -> None:
    """Load weights that came with the files that are here, before they get their name. Raises `Refused`."""
    with TemporaryDirectory(dir=path.parent, ignore_cleanup_errors=True) as whole:
        for other in (contents.CONFIG, *contents.TOKENIZER):
            if (folder / other).is_file():
                shutil.copyfile(folder / other, Path(whole) / other)
        staged = path.replace(Path(whole) / file.name)
        try:
            proof(Path(whole))
        except ModelError as error:
            log.info("%s", error)
            raise Refused(f"sent a {file.name} that does not fit the rest of this model") from error
        staged.replace(path)


def by_hand(model: RemoteModel, folder: Path, why: str) -> str:
    """What to do when a model cannot be fetched, in a sentence or three."""
    names = [" or ".join(file.name for file in choice) for choice in model.files]
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    source = model.weights[0].urls[0]
    return (
        f"The model {model.name} could not be fetched: {why}. "
        f"You can put its files into {folder} yourself: {listed}, e.g. from {source}. "
        f"The embedded model needs no files: {EMBEDDED.name}."
    )


def _fetch_file(
    url: str, file: RemoteFile, model: RemoteModel, folder: Path, shop: Shop, told: Told
) -> tuple[Path, str]:
    """One file from one mirror, looked at and checked, and its SHA-256. Raises `Refused` or `Unavailable`."""
    part = folder.parent / _SCRATCH / folder.name / f"{file.name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    if file.sha256 is None:
        part.unlink(missing_ok=True)  # nothing would notice that its first half is of another version
    transfer = Transfer(file, part, _most(file, model), told, shop.stall_s, shop.pause_s)
    while True:
        transfer.receive(url)
        wrong = contents.objection(part, file.keys, file.name)
        sha256 = "" if wrong else sha256_of(part)
        if not wrong and file.sha256 in (None, sha256):
            return part, sha256
        part.unlink()
        if not transfer.inherited:  # else the half that was here may have been another file's
            raise Refused(f"sent a {file.name} " + (f"that {wrong}" if wrong else "with another checksum"))


def _most(file: RemoteFile, model: RemoteModel) -> int:
    """Bytes above which this cannot be the file, however much a mirror sends."""
    if file.size is not None:
        return file.size
    return 2 * model.megabytes * MIB + 64 * MIB if file in model.weights else contents.MAX_SMALL


def _host(url: str) -> str:
    """The address's host and port; a name and a password before them are nobody's business."""
    return urlsplit(url).netloc.rpartition("@")[2]
