"""Looking for what must be gone: secrets in files, raw, in hex and in base64."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path


def forms(secret: bytes) -> set[bytes]:
    """The ways in which a secret may stand in a file: in base64 also where it begins within a group of three bytes."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            text = encode(bytes(before) + secret).rstrip(b"=")
            # The first digits carry bits of what is before, the last one bits of what is behind.
            found.add(text[(0, 2, 3)[before] : -1])
    return found


def traces(folder: Path, secrets: Iterable[bytes], but: str = "") -> list[str]:
    """The files below a folder that hold one of the secrets in some form, but for those in a folder named `but`."""
    wanted = {form for secret in secrets for form in forms(secret)}
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [
        f"{path.relative_to(folder)}: {sum(form in data for form in wanted)}"
        for path in sorted(files)
        if not (but and but in path.relative_to(folder).parts)
        and (data := path.read_bytes())
        and any(form in data for form in wanted)
    ]
