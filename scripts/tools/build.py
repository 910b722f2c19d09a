"""Build the pinned tools into .tools/bin/ where Go is found: `python -m scripts.tools.build [kubo] [geth] [note]`.

Only the Go module proxy is used, and every module is checked against the committed go.sum. A tool is built again when
a file of its module has changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from scripts.tools import TOOL_DIRECTORY

MODULES = Path(__file__).parent / "go"
TOOLS = {"kubo": "ipfs", "geth": "geth", "note": "khalayak-note"}
GO_VERSION = (1, 26, 5)


def main(arguments: list[str]) -> int:
    """Build the tools asked for, all by default. Exit code 1 when a build failed; 0 without Go, as all else works."""
    unknown = set(arguments) - set(TOOLS)
    if unknown:
        print(f"No such tool: {', '.join(sorted(unknown))}. There are: {', '.join(TOOLS)}.", file=sys.stderr)
        return 1
    missing = [name for name in arguments or TOOLS if not is_built(name)]
    if not missing:
        print(f"They are there: {TOOL_DIRECTORY}")
        return 0
    go = find_go()
    if go is None:
        wanted = ".".join(map(str, GO_VERSION))
        print(
            f"{' and '.join(missing)} cannot be built: no Go of version {wanted} or newer is on PATH.\n"
            "Everything else works without them; the tests that need them are skipped and say so.\n"
            "Install Go and run `make tools` again, or set KHALAYAK_IPFS_BIN and KHALAYAK_GETH_BIN to yours.",
            file=sys.stderr,
        )
        return 0
    results = [build(go, name) for name in missing]
    return 0 if all(results) else 1


def find_go() -> str | None:
    """The `go` on PATH, when it is new enough."""
    go = shutil.which("go")
    if go is None:
        return None
    numbers = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", _go_env(go, "GOVERSION"))
    if numbers is None or tuple(int(number or 0) for number in numbers.groups()) < GO_VERSION:
        return None
    return go


def is_built(name: str) -> bool:
    stamp = _stamp_path(name)
    return (TOOL_DIRECTORY / TOOLS[name]).is_file() and stamp.is_file() and stamp.read_text() == _stamp(name)


def build(go: str, name: str) -> bool:
    """Build one tool. The binary appears under its name only when it is whole; the stamp comes after it."""
    TOOL_DIRECTORY.mkdir(parents=True, exist_ok=True)
    print(f"Building {name} (once; up to four minutes on two cores) ...", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".build-", dir=TOOL_DIRECTORY) as folder:
        environment = {
            **os.environ,
            "GOBIN": folder,
            "GOFLAGS": "-mod=readonly",
            "GOPROXY": _go_proxies(go),
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }
        command = [go, "install", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "tool"]
        if subprocess.run(command, cwd=MODULES / name, env=environment).returncode != 0:
            print(f"{name} was not built: see what go says above, then run `make tools` again.", file=sys.stderr)
            return False
        binary = TOOL_DIRECTORY / TOOLS[name]
        (Path(folder) / TOOLS[name]).replace(binary)
    _stamp_path(name).write_text(_stamp(name))
    size = binary.stat().st_size / 1e6
    print(f"Built {binary} ({size:.0f} MB) in {time.monotonic() - started:.0f} s.", flush=True)
    return True


def _go_env(go: str, name: str) -> str:
    # Outside a module and with a fixed toolchain, so that go neither reads a go.mod nor downloads another go.
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    return subprocess.run([go, "env", name], capture_output=True, text=True, cwd="/", env=environment).stdout.strip()


def _go_proxies(go: str) -> str:
    """The user's module proxies without `direct`, which would fetch from whatever host a module names."""
    proxies = [proxy for proxy in re.split("[,|]", _go_env(go, "GOPROXY")) if proxy not in ("", "direct")]
    return ",".join(proxies) or "off"


def _stamp(name: str) -> str:
    return sha256(b"".join(path.read_bytes() for path in sorted((MODULES / name).iterdir()))).hexdigest()


def _stamp_path(name: str) -> Path:
    return TOOL_DIRECTORY / f"{TOOLS[name]}.stamp"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
