"""Fetching from real mirrors on the loopback that behave as badly as mirrors can."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch

from engine.errors import BadSetting, DiskError, ModelError, StoppedEarly
from engine.models import download
from engine.models.catalogue import RemoteFile, RemoteModel
from engine.models.download import FetchError, steps
from engine.models.shop import Shop
from tests.engine.mirror import PAGES, Mirror, serving

ROOT = Path(__file__).parents[3]


def weights(size: int) -> bytes:
    """A safetensors file with a tensor of so many random bytes."""
    return safetensors.torch.save({"noise": torch.frombuffer(bytearray(os.urandom(size)), dtype=torch.uint8)})


WEIGHTS = weights(3_000_000)
CONFIG = b'{"a": 1}'
SHA = hashlib.sha256(WEIGHTS).hexdigest()


def model(**known: object) -> RemoteModel:
    """A model whose published places are gone: only the shop's mirrors have it."""
    gone = ("http://127.0.0.1:9/gone",)
    weights = RemoteFile("model.safetensors", gone, **known)  # type: ignore[arg-type]
    older = RemoteFile("pytorch_model.bin", gone)
    return RemoteModel("toy", "toy", "Toy", ((RemoteFile("config.json", gone),), (weights, older)), 3, "MIT")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    folder = tmp_path / "served"
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "config.json").write_bytes(CONFIG)
    (folder / "toy" / "model.safetensors").write_bytes(WEIGHTS)
    with serving(folder) as mirror:
        yield mirror


def shop(*mirrors: Mirror, stall_s: float = 0.5) -> Shop:
    return Shop(tuple(mirror.url for mirror in mirrors), stall_s=stall_s, pause_s=0.0)


def get(wanted: RemoteModel, models: Path, from_: Shop) -> list[download.Arrived]:
    return list(steps(wanted, models, from_, lambda: False))


def left(models: Path) -> set[str]:
    """Every file there is, besides the lock."""
    return {str(path.relative_to(models)) for path in models.rglob("*") if path.is_file()} - {".toy.lock"}


WHOLE = {"toy/config.json", "toy/model.safetensors", "toy/sha256.json"}


def test_a_model_arrives_whole_and_is_not_asked_for_again(mirror: Mirror, tmp_path: Path) -> None:
    models = tmp_path / "models"
    get(model(), models, shop(mirror))
    assert (models / "toy" / "model.safetensors").read_bytes() == WEIGHTS
    assert left(models) == WHOLE
    assert json.loads((models / "toy" / "sha256.json").read_text())["model.safetensors"]["sha256"] == SHA
    mirror.asked.clear()
    get(model(), models, shop(mirror))
    assert mirror.asked == []


@pytest.mark.parametrize("known", [{"sha256": SHA, "size": len(WEIGHTS)}, {}], ids=["known hash", "no hash"])
@pytest.mark.parametrize(
    "fault",
    ["cut", "stall", "500", "503", "redirect", "ignore range", "gzip", "no length", "odd length"],
)
def test_a_fault_that_passes_costs_only_a_retry(
    fault: str, known: dict[str, object], mirror: Mirror, tmp_path: Path
) -> None:
    mirror.misbehave("model.safetensors", fault)
    get(model(**known), tmp_path / "models", shop(mirror))
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS
    assert left(tmp_path / "models") == WHOLE


def test_what_was_cut_off_goes_on_where_it_was(mirror: Mirror, tmp_path: Path) -> None:
    mirror.misbehave("model.safetensors", "cut", "cut")
    get(model(), tmp_path / "models", shop(mirror))
    spans = [span for path, span in mirror.asked if path.endswith("model.safetensors")]
    first, *later = [int(span.removeprefix("bytes=").removesuffix("-") or 0) for span in spans]
    assert first == 0 and len(later) == 2 and 1_000_000 < later[0] < later[1] < len(WEIGHTS)
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_mirror_that_often_breaks_off_is_borne_as_long_as_it_brings_something(
    mirror: Mirror, tmp_path: Path
) -> None:
    large = weights(30_000_000)
    (mirror.folder / "toy" / "model.safetensors").write_bytes(large)
    mirror.misbehave("model.safetensors", "cut", "cut", "503", "cut", "503", "503", "cut")
    get(model(), tmp_path / "models", shop(mirror))
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == large


def test_a_server_that_starts_over_is_believed(mirror: Mirror, tmp_path: Path) -> None:
    mirror.misbehave("model.safetensors", "cut", "ignore range")
    get(model(), tmp_path / "models", shop(mirror))
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("known", [{"sha256": SHA, "size": len(WEIGHTS)}, {}], ids=["known hash", "no hash"])
@pytest.mark.parametrize("fault", ["wrong range", "gzip", "page", "cut"])
def test_what_is_sent_instead_of_the_rest_does_no_harm(
    fault: str, known: dict[str, object], mirror: Mirror, tmp_path: Path
) -> None:
    mirror.misbehave("model.safetensors", "cut", fault, fault)
    with serving(mirror.folder) as second:
        get(model(**known), tmp_path / "models", shop(mirror, second))
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS
    assert left(tmp_path / "models") == WHOLE


def test_a_half_file_of_one_mirror_is_not_held_against_the_next(mirror: Mirror, tmp_path: Path) -> None:
    other = tmp_path / "other" / "toy"
    shutil.copytree(mirror.folder / "toy", other)
    (other / "model.safetensors").write_bytes(weights(3_000_000))
    with serving(other.parent) as first:
        first.misbehave("model.safetensors", "cut", "500", "500", "500")
        get(model(sha256=SHA), tmp_path / "models", shop(first, mirror))
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_range_that_is_refused_begins_anew(mirror: Mirror, tmp_path: Path) -> None:
    mirror.misbehave("model.safetensors", "cut", "416")
    get(model(), tmp_path / "models", shop(mirror))
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS


def test_a_later_process_goes_on_with_a_half_file_whose_hash_is_known(mirror: Mirror, tmp_path: Path) -> None:
    half = tmp_path / "models" / ".fetching" / "toy" / "model.safetensors.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(WEIGHTS[:1000])
    get(model(sha256=SHA), tmp_path / "models", shop(mirror))
    assert ("/toy/model.safetensors", "bytes=1000-") in mirror.asked
    half.parent.mkdir(parents=True)
    half.write_bytes(b"?" * 1000)  # another version's beginning: the hash tells, and it is not the mirror's
    (tmp_path / "models" / "toy" / "model.safetensors").unlink()
    get(model(sha256=SHA), tmp_path / "models", shop(mirror))
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS


def test_one_wrong_byte_is_noticed_and_the_next_mirror_asked(mirror: Mirror, tmp_path: Path) -> None:
    with serving(mirror.folder) as second:
        mirror.misbehave("model.safetensors", "wrong byte")
        get(model(sha256=SHA), tmp_path / "models", shop(mirror, second))
        assert second.asked
    assert (tmp_path / "models" / "toy" / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("fault", ["wrong byte", "short", "cut", "stall", "404", "500"])
def test_where_every_mirror_fails_nothing_is_left_and_the_way_out_is_told(
    fault: str, mirror: Mirror, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    mirror.misbehave("model.safetensors", *[fault] * 10)
    with pytest.raises(FetchError) as caught:
        get(model(sha256=SHA, size=len(WEIGHTS)), models, shop(mirror, stall_s=0.2))
    sentence = str(caught.value)
    assert "config.json and model.safetensors or pytorch_model.bin" in sentence
    assert str(models / "toy") in sentence and "pocket" in sentence
    assert not (models / "toy" / "model.safetensors").exists()
    mirror.faults.clear()
    get(model(sha256=SHA), models, shop(mirror))
    assert left(models) == WHOLE


PUBLISHED = {
    "config.json": b'{"model_type": "clip"}',
    "vocab.json": b'{"<|startoftext|>": 0, "<|endoftext|>": 1}',
    "merges.txt": b"#version: 0.2\ni n\n",
    "tokenizer_config.json": b'{"tokenizer_class": "CLIPTokenizer"}',
    "model.safetensors": WEIGHTS,
}
CLIP = RemoteModel(
    "toy",
    "toy",
    "Toy",
    tuple(
        (RemoteFile(name, ("http://127.0.0.1:9/x",), keys=("model_type",) * (name == "config.json")),)
        for name in PUBLISHED
    ),
    3,
    "MIT",
)


@pytest.mark.parametrize("fault", PAGES)
def test_what_is_no_model_s_file_gets_no_name_and_the_next_mirror_is_asked(
    fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models, served = tmp_path / "models", tmp_path / "served"
    (served / "toy").mkdir(parents=True)
    for name, data in PUBLISHED.items():
        (served / "toy" / name).write_bytes(data)
    with serving(served) as bad, serving(served) as good:
        host = bad.url.removeprefix("http://")
        bad.misbehave("config.json", *[fault] * 2)
        with pytest.raises(FetchError, match=f"{host} sent a config.json that "):
            get(CLIP, models, shop(bad))
        assert not (models / "toy" / "config.json").exists()
        for name in PUBLISHED:
            bad.misbehave(name, *[fault] * 2)
        caplog.clear()
        get(CLIP, models, shop(bad, good))
    assert all(f"{host} sent a {name} that " in caplog.text for name in PUBLISHED)
    assert {name: (models / "toy" / name).read_bytes() for name in PUBLISHED} == PUBLISHED


def test_half_a_file_of_an_answer_without_a_length_is_told(mirror: Mirror, tmp_path: Path) -> None:
    mirror.misbehave("model.safetensors", "half without length")
    with pytest.raises(FetchError, match=r"sent a model\.safetensors that is cut off"):
        get(model(), tmp_path / "models", shop(mirror))


def test_an_answer_without_an_end_is_left(mirror: Mirror, tmp_path: Path) -> None:
    mirror.misbehave("config.json", "endless")
    with pytest.raises(FetchError, match=r"sent a config\.json without an end"):
        get(model(), tmp_path / "models", shop(mirror))
    assert left(tmp_path / "models") == set()


@pytest.mark.parametrize("rubbish", [b"", b"<html>log in</html>", WEIGHTS[:1000], WEIGHTS + b"more"])
def test_rubbish_that_is_there_already_is_replaced(rubbish: bytes, mirror: Mirror, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "toy"
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(b"<html>log in</html>")
    (folder / "model.safetensors").write_bytes(rubbish)
    get(model(), tmp_path / "models", shop(mirror))
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert (folder / "config.json").read_bytes() == CONFIG


def test_rubbish_is_replaced_by_an_older_form_too(mirror: Mirror, tmp_path: Path) -> None:
    (mirror.folder / "toy" / "model.safetensors").unlink()
    torch.save({"noise": torch.zeros(3)}, mirror.folder / "toy" / "pytorch_model.bin")
    folder = tmp_path / "models" / "toy"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"<html>log in</html>")
    get(model(), tmp_path / "models", shop(mirror))
    assert {path.name for path in folder.iterdir()} == {"config.json", "pytorch_model.bin", "sha256.json"}


def test_in_doubt_every_checksum_is_compared(mirror: Mirror, tmp_path: Path) -> None:
    models = tmp_path / "models"
    get(model(), models, shop(mirror))
    changed = bytearray(WEIGHTS)
    changed[-1] ^= 1
    (models / "toy" / "model.safetensors").write_bytes(changed)
    get(model(), models, shop(mirror))
    assert (models / "toy" / "model.safetensors").read_bytes() == changed
    list(steps(model(), models, shop(mirror), lambda: False, doubt=True))
    assert (models / "toy" / "model.safetensors").read_bytes() == WEIGHTS


def test_weights_that_do_not_fit_are_left_to_the_mirror_that_sent_them(
    mirror: Mirror, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "toy"
    shutil.copytree(mirror.folder / "toy", other)
    (other / "model.safetensors").write_bytes(weights(2_000_000))

    def proof(folder: Path) -> None:
        assert (folder / "config.json").read_bytes() == CONFIG
        if (folder / "model.safetensors").read_bytes() != WEIGHTS:
            raise ModelError

    models = tmp_path / "models"
    with serving(other.parent) as wrong:
        host = wrong.url.removeprefix("http://")
        with pytest.raises(FetchError, match=rf"{host} sent a model\.safetensors that does not fit"):
            list(steps(model(), models, shop(wrong), lambda: False, proof))
        assert left(models) == {"toy/config.json", "toy/sha256.json"}
        list(steps(model(), models, shop(wrong, mirror), lambda: False, proof))
    assert (models / "toy" / "model.safetensors").read_bytes() == WEIGHTS
    (models / "toy" / "model.safetensors").write_bytes(weights(2_000_000))  # where an earlier version put it
    (models / "toy" / "sha256.json").unlink()
    list(steps(model(), models, shop(mirror), lambda: False, proof, doubt=True))
    assert (models / "toy" / "model.safetensors").read_bytes() == WEIGHTS


def test_an_older_form_of_the_weights_is_taken_where_the_newer_is_not(mirror: Mirror, tmp_path: Path) -> None:
    (mirror.folder / "toy" / "model.safetensors").unlink()
    older = io.BytesIO()
    torch.save({"noise": torch.zeros(3)}, older)
    (mirror.folder / "toy" / "pytorch_model.bin").write_bytes(older.getvalue())
    get(model(), tmp_path / "models", shop(mirror))
    assert (tmp_path / "models" / "toy" / "pytorch_model.bin").read_bytes() == older.getvalue()


def test_offline_asks_nobody(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="OFFLINE"):
        get(model(), tmp_path / "models", Shop((mirror.url,), offline=True))
    assert mirror.asked == []


def test_a_stop_ends_it(mirror: Mirror, tmp_path: Path) -> None:
    mirror.misbehave("model.safetensors", "stall")
    with pytest.raises(StoppedEarly):
        list(steps(model(), tmp_path / "models", shop(mirror), lambda: True))


def test_progress_is_told_in_bytes(mirror: Mirror, tmp_path: Path) -> None:
    mirror.misbehave("model.safetensors", "stall")
    told = get(model(size=len(WEIGHTS)), tmp_path / "models", shop(mirror, stall_s=1.5))
    halves = [arrived.done for arrived in told if arrived.file == "model.safetensors"]
    assert any(1_000_000 < done < 2_000_000 for done in halves)
    assert {arrived.total for arrived in told if arrived.file == "model.safetensors"} == {len(WEIGHTS)}


def test_a_full_disk_is_told_before_the_file_is_asked_for_in_vain(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(DiskError, match="not enough room"):
        get(model(), tmp_path / "models", shop(mirror))


def test_a_folder_that_cannot_be_written_is_told(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(DiskError, match="cannot be kept"):
        get(model(), tmp_path / "models", shop(mirror))


PROCESS = """
import sys
from pathlib import Path
from engine.models.download import steps
from engine.models.shop import Shop
from tests.engine.models.test_download import SHA, model
for arrived in steps(model(sha256=sys.argv[3]), Path(sys.argv[1]), Shop((sys.argv[2],)), lambda: False):
    pass
"""


def test_two_processes_at_once_fetch_it_once(mirror: Mirror, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "models"), mirror.url, SHA]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(command, env=environ) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert [path for path, _ in mirror.asked] == ["/toy/config.json", "/toy/model.safetensors"]
    assert left(tmp_path / "models") == WHOLE


def test_the_shop_is_read_from_the_settings() -> None:
    environ = {"MODEL_MIRRORS": "https://a.example/models http://b.example", "OFFLINE": "1"}
    assert Shop.read(environ) == Shop(("https://a.example/models", "http://b.example"), True)
    assert Shop.read({}) == Shop()
    odd = (
        "ftp://a",
        "https://",
        "http://[::1",
        "http://a:99999",
        "http://a:port",
        "http://a?b=",
        "https:///a",
    )
    for wrong in (*({"MODEL_MIRRORS": address} for address in odd), {"OFFLINE": "perhaps"}):
        with pytest.raises(BadSetting, match=next(iter(wrong))):
            Shop.read(wrong)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("http://[::1", "is or redirects to an address that cannot be fetched"),
        (f"http://{'a' * 70}.example/", "is or redirects to an address that cannot be fetched"),
        ("ftp://127.0.0.1/file", "is or redirects to an address that cannot be fetched"),
        ("", "redirects without an end"),  # to itself
    ],
)
@pytest.mark.parametrize("begun", [False, True])
def test_a_redirect_to_no_address_is_told_and_ends(
    place: str, told: str, begun: bool, mirror: Mirror, tmp_path: Path
) -> None:
    mirror.elsewhere["model.safetensors"] = place
    models = tmp_path / "models"
    if begun:  # half of it is here already
        (models / ".fetching" / "toy").mkdir(parents=True)
        (models / ".fetching" / "toy" / "model.safetensors.part").write_bytes(WEIGHTS[:9])
    with pytest.raises(FetchError) as error:
        get(model(sha256=SHA, size=len(WEIGHTS)), models, shop(mirror))
    assert told in str(error.value)


def test_a_mirror_s_password_is_told_to_nobody(
    mirror: Mirror, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mirror.misbehave("model.safetensors", *["500"] * 9)
    secret = mirror.url.replace("http://", "http://ada:s3cret@")
    with pytest.raises(FetchError) as error:
        get(model(), tmp_path / "models", Shop((secret,), stall_s=0.5, pause_s=0.0))
    assert mirror.url.removeprefix("http://") in str(error.value)
    assert "s3cret" not in str(error.value) + caplog.text
