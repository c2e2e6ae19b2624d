"""What of an environment the engine's child process gets: what its libraries need, and nobody's secrets.

The bot's environment holds its token and the database's address with its password; the child, which reads
downloaded models and strangers' pictures, shall not have them to lose.
"""

import re
from collections.abc import Collection, Mapping

from engine.settings import ENGINE_SETTINGS

# Names and beginnings of names, in capitals. Whatever is not here is left out: what hosts and other programs
# put beside it is not known beforehand.
_NAMES = frozenset(
    {setting.key for setting in ENGINE_SETTINGS}
    # people and places, time and language
    | {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TERM", "LANG", "LANGUAGE", "TZ", "TZDIR"}
    | {"TMPDIR", "TEMP", "TMP", "NO_COLOR", "VIRTUAL_ENV", "DYNO"}
    # Windows needs these to start a program at all
    | {"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERNAME", "USERPROFILE", "HOMEDRIVE"}
    | {"HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "OS"}
    | {"NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "PROCESSOR_IDENTIFIER"}
    # the way to the network
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
)
_BEGINNINGS = (
    *("LC_", "XDG_", "PYTHON", "CONDA_", "COVERAGE_", "COV_CORE_", "LD_", "DYLD_", "MALLOC_", "GLIBC_"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "BLIS_", "VECLIB_", "NUMEXPR_", "ONEDNN_", "DNNL_"),
    *("TORCH", "PYTORCH_", "ATEN_", "C10_", "TRITON_", "HF_", "HUGGINGFACE_", "TRANSFORMERS_", "TOKENIZERS_"),
    *("CUDA", "CUDNN_", "CUBLAS_", "NCCL_", "NVIDIA_", "NVTX_", "GPU_", "ROCM_", "ROCR_", "HIP_", "HSA_"),
    *("AMD_", "MIOPEN_", "ZE_", "ONEAPI_", "SYCL_", "XPU_", "METAL_", "MTL_", "RAY_"),
)
# Not even among those: a secret is known by its name.
_SECRET = re.compile(
    r"TOKEN(?!IZERS)|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH"
)


def for_the_child(environ: Mapping[str, str], secrets: Collection[str] = frozenset()) -> dict[str, str]:
    """What the child gets of this environment; these `secrets`, too."""
    return {name: value for name, value in environ.items() if name in secrets or _is_passed_on(name.upper())}


def _is_passed_on(name: str) -> bool:
    return name in _NAMES or (name.startswith(_BEGINNINGS) and not _SECRET.search(name))
