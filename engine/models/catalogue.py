"""The large models that can be fetched: their files, where these lie, and what is known of their contents.

Sizes and hashes: huggingface/pytorch-pretrained-BigGAN's addresses and the hub's own listings (2026-11).
Standard library only.
"""

from dataclasses import dataclass

MIB = 1024 * 1024
_S3 = "https://s3.amazonaws.com/models.huggingface.co/biggan"
_HUB = "https://huggingface.co"


@dataclass(frozen=True)
class RemoteFile:
    """A file of a model, under its own name in the model's folder."""

    name: str
    urls: tuple[str, ...]  # mirrors, the first is tried first
    size: int | None = None  # bytes, where the exact number is public
    sha256: str | None = None  # in hex, where it is public
    keys: tuple[str, ...] = ()  # what its object of JSON has


@dataclass(frozen=True)
class RemoteModel:
    """A model that lies in a folder of its own: `files` all of them, the weights last.

    Each entry of `files` is a choice: the first of its files that a mirror has is enough.
    """

    name: str
    folder: str
    title: str
    files: tuple[tuple[RemoteFile, ...], ...]
    megabytes: int  # of all files, about
    licence: str
    # Of a generator:
    side: int = 0  # of its pictures, px
    blocks: str = (
        ""  # each one's upsample (T or F), channels in and out, in widths (Brock et al. 2018, tables 7 to 9)
    )
    picture_bytes: int = 0  # that it keeps of a picture for its backward pass, measured with random weights

    @property
    def weights(self) -> tuple[RemoteFile, ...]:
        """The choice of weights files."""
        return self.files[-1]


def _biggan(
    side: int, blocks: str, weights: RemoteFile, config: RemoteFile, megabytes: int, picture_bytes: int
) -> RemoteModel:
    name = f"biggan-deep-{side}"
    newer = RemoteFile("model.safetensors", ())  # where a user or a mirror has it so
    return RemoteModel(
        name,
        folder=name,
        title=f"BigGAN-deep-{side}",
        files=((config,), (weights, newer)),
        megabytes=megabytes,
        licence="MIT (code; none is published for the weights)",
        side=side,
        blocks=blocks,
        picture_bytes=picture_bytes,
    )


def _clip(
    name: str, repository: str, revision: str, title: str, weights: RemoteFile, megabytes: int
) -> RemoteModel:
    def file(file_name: str, *keys: str) -> RemoteFile:
        return RemoteFile(file_name, (_hub(repository, revision, file_name),), keys=keys)

    config = file("config.json", "model_type", "text_config", "vision_config")
    tokenizer = (file("vocab.json"), file("merges.txt"), file("tokenizer_config.json"))
    small = tuple((one,) for one in (config, *tokenizer))
    folder = repository.split("/")[1]
    choice = (weights, file("pytorch_model.bin"))
    licence = "MIT; its makers advise against deployed use without a study of its own"
    return RemoteModel(name, folder, title, (*small, choice), megabytes, licence)


def _hub(repository: str, revision: str, name: str) -> str:
    return f"{_HUB}/{repository}/resolve/{revision}/{name}"


_MIRROR_128 = ("osanseviero/BigGAN-deep-128", "af0640a119a2486b24eed0985d6d54e734890bff")
_B32 = ("openai/clip-vit-base-patch32", "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268")
_B16 = ("openai/clip-vit-base-patch16", "main")
_L14 = ("openai/clip-vit-large-patch14", "32bd64288804d66eefd0ccbe215aa642df71cc41")

BIGGANS = (
    _biggan(
        128,
        "F16-16 T16-16 F16-16 T16-8 F8-8 T8-4 F4-4 T4-2 F2-2 T2-1",
        RemoteFile(
            "pytorch_model.bin",
            (f"{_S3}/biggan-deep-128-pytorch_model.bin", _hub(*_MIRROR_128, "pytorch_model.bin")),
            sha256="b86146a8cfcde4cda135adba4b2806f78b3abe2dac9d0fd090cc3ab318604ad9",
        ),
        RemoteFile(
            "config.json",
            (f"{_S3}/biggan-deep-128-config.json", _hub(*_MIRROR_128, "config.json")),
            630,
            "a6bb3c38d69aa21f0f436a6da081e788e9afe62c7c62a465ac9060ef85eeb6ad",
        ),
        211,
        118 * MIB,
    ),
    _biggan(
        256,
        "F16-16 T16-16 F16-16 T16-8 F8-8 T8-8 F8-8 T8-4 F4-4 T4-2 F2-2 T2-1",
        RemoteFile(
            "pytorch_model.bin",
            (f"{_S3}/biggan-deep-256-pytorch_model.bin",),
            234_411_737,
            "5900ef4065047e3aa0d1b66197b7f2664dceb59b27080e414ad57e203c485bc5",
        ),
        RemoteFile(
            "config.json",
            (f"{_S3}/biggan-deep-256-config.json",),
            715,
            "edd106f65ff28ee1638491a978cfa6bc50dfa0344aab70749a7b8eb08bbec677",
        ),
        234,
        394 * MIB,
    ),
    _biggan(
        512,
        "F16-16 T16-16 F16-16 T16-8 F8-8 T8-8 F8-8 T8-4 F4-4 T4-2 F2-2 T2-1 F1-1 T1-1",
        RemoteFile("pytorch_model.bin", (f"{_S3}/biggan-deep-512-pytorch_model.bin",)),  # no hash is public
        RemoteFile(
            "config.json",
            (f"{_S3}/biggan-deep-512-config.json",),
            800,
            "c7690e92becc60cd70cb9931b63996d463f1b538be65ab6c12285ccda37a6821",
        ),
        236,
        845 * MIB,
    ),
)
CLIPS = (
    _clip(
        "ViT-B/32",
        *_B32,
        "CLIP ViT-B/32",
        RemoteFile("model.safetensors", (_hub(*_B32, "model.safetensors"),)),
        607,
    ),
    _clip(
        "ViT-B/16",
        *_B16,
        "CLIP ViT-B/16",
        RemoteFile("model.safetensors", (_hub(*_B16, "model.safetensors"),)),
        600,
    ),
    _clip(
        "ViT-L/14",
        *_L14,
        "CLIP ViT-L/14",
        RemoteFile(
            "model.safetensors",
            (_hub(*_L14, "model.safetensors"),),
            1_710_540_580,
            "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb",
        ),
        1713,
    ),
)
ALL = BIGGANS + CLIPS
_BY_NAME = {model.name.lower(): model for model in ALL}


def named(name: str) -> RemoteModel:
    """The model of this name, in upper or lower case. Raises `KeyError`."""
    return _BY_NAME[name.lower()]
