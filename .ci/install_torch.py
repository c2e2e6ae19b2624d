"""Installs torch into the Python that runs this: without a GPU the build without CUDA, a third of the size.

Asked by the environment: TORCH, what pip shall install; TORCH_INDEX, the index that has it, blank for pip's
own; TORCH_ASKED, not blank if the user named one of them, who then gets it whether or not there is a GPU.
"""

import http.client
import importlib.util
import os
import shutil
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping

LIMIT_S = 4.0  # for the index to answer; looking up a name knows no timeout, so all of it is timed


def answers(index: str, limit_s: float = LIMIT_S) -> bool:
    """Whether a package index at this address answers soon."""
    found: list[bool] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(f"{index.rstrip('/')}/torch/", method="HEAD")
            with urllib.request.urlopen(request, timeout=limit_s):
                found.append(True)
        except urllib.error.URLError as error:
            # Somebody is there whose certificate pip may know, for it has a setting of its own.
            found.append(isinstance(error.reason, ssl.SSLCertVerificationError))
        except (OSError, ValueError, http.client.HTTPException):
            found.append(False)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(limit_s)
    return found == [True]


def wanted(environ: Mapping[str, str], platform: str, has_gpu: bool) -> bool:
    """Whether torch is to be installed by itself, before what needs it would bring the build for CUDA."""
    return bool(environ.get("TORCH_ASKED")) or not (has_gpu or platform == "darwin")


def from_index(torch: str, index: str) -> list[str]:
    """pip's arguments: torch alone from there. What it needs comes from pip's own index, with the rest."""
    return ["--no-deps", "--index-url", index, torch]


def install(arguments: list[str]) -> int:
    """Have pip install that. Returns its exit code."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", *arguments]
    return subprocess.run(command, check=False).returncode


def main(environ: Mapping[str, str] = os.environ) -> int:
    """Install it, from its index or from pip's own. Returns the exit code."""
    has_gpu = shutil.which("nvidia-smi") is not None
    if importlib.util.find_spec("torch") or not wanted(environ, sys.platform, has_gpu):
        return 0
    torch, index = environ["TORCH"], environ.get("TORCH_INDEX", "").strip()
    print(f"Installing {torch} …", flush=True)
    if index and answers(index):
        if install(from_index(torch, index)) == 0:
            return 0
        print(f"{index} has no {torch} for this machine; asking pip's own index.", flush=True)
    elif index:
        print(f"{index} does not answer; asking pip's own index.", flush=True)
    return install([torch])


if __name__ == "__main__":
    sys.exit(main())
