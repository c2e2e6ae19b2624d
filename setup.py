"""The long description for a package index: README.md with the links and pictures that work there.

All else stands in pyproject.toml. Of a link into the repository, which leads nowhere there, the words remain.
"""

import re
from pathlib import Path

from setuptools import setup

_PICTURE = re.compile(r"^!\[[^]]*\]\((?!https?://)[^)]*\)\n(?:\n\*[^*]*\*\n)?", re.M)  # with its caption
_LINK = re.compile(r"\[([^]]*)\]\((?!https?://)[^)]*\)")


def long_description(readme: str) -> str:
    """The README without pictures and links that are files of the repository."""
    return _LINK.sub(r"\1", _PICTURE.sub("", readme))


if __name__ == "__main__":
    readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    setup(long_description=long_description(readme), long_description_content_type="text/markdown")
