"""The commands of those who do not trust the office, each at a node of their own: `witness` and `monitor`."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.errors import BadInput, ConfigurationError, KhalayakError, SplitView, Unavailable
from ledger.witness import Witness, create_witness_key
from scripts.progress import log_to_stderr

if TYPE_CHECKING:
    from ledger.cosigner import Cosigner

CHECK_SECONDS = 5
MAX_CONNECTIONS = 64
MAX_REQUEST_BYTES = 8 << 10

Rpc = Annotated[str, typer.Option(help="a node of your own: it is the one whom this command believes")]
Trust = Annotated[Path, typer.Option(help="the office's trust root")]


def witness(
    key: Annotated[Path | None, typer.Option(help="key file; its name is the witness's, as court.example.pem")] = None,
    rpc: Rpc = "http://127.0.0.1:8545",
    trust: Trust = Path("trust.json"),
    listen: Annotated[str, typer.Option(help="address and port to serve on")] = "127.0.0.1:8547",
    new_key: Annotated[Path | None, typer.Option(help="make a key file, print its line of trust.json, and end")] = None,
) -> None:
    """Sign the final blocks of your own node for whoever asks, never two hashes for a number. Ends on a split view."""
    if (key is None) == (new_key is None):
        raise BadInput("Name one of --key and --new-key.", "`khalayak witness --help` says which does what.")
    if new_key is not None:
        if not re.fullmatch(r"[^\s+]+", new_key.stem) or not new_key.stem.isprintable():
            raise BadInput(
                "A witness's name, which is the file's, has no space and no plus sign.", "Name it otherwise."
            )
        typer.echo(Witness(new_key.stem, create_witness_key(new_key), new_key.with_suffix(".log")).verifier_key)
    if key is not None:
        from ledger.watching import open_cosigner

        log_to_stderr()
        _serve(open_cosigner(rpc, key, trust), listen)


def _serve(cosigner: Cosigner, listen: str) -> None:
    """Until a signal or an alarm ends it."""
    import uvicorn

    from api.witness import BURST, RATE, Bucket, create_witness_app

    alarms, stopped = list[KhalayakError](), threading.Event()

    def alarm(error: KhalayakError) -> None:
        typer.echo(f"ALARM {error}", err=True)
        alarms.append(error)
        server.should_exit = True

    server = uvicorn.Server(
        uvicorn.Config(
            create_witness_app(cosigner, alarm, Bucket(RATE, BURST)),
            log_level="warning",
            access_log=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            http="h11",
            h11_max_incomplete_event_size=MAX_REQUEST_BYTES,
            ws="none",
        )
    )
    with listening(listen) as door:
        typer.echo(f"{cosigner.witness.verifier_key}\nServes on http://{':'.join(map(str, door.getsockname()[:2]))}")
        watcher = threading.Thread(target=_watch, args=(cosigner, alarm, stopped), daemon=True)
        watcher.start()
        server.run(sockets=[door])
    stopped.set()
    if alarms:
        raise typer.Exit(1)


def _watch(cosigner: Cosigner, alarm: Callable[[KhalayakError], None], stopped: threading.Event) -> None:
    """Notice a fork also when nobody asks. What passes by itself is said once."""
    said = ""
    while True:
        try:
            cosigner.check()
            said = ""
        except (SplitView, ConfigurationError) as error:
            alarm(error)
            return
        except KhalayakError as error:
            if error.message != said:
                said = error.message
                typer.echo(f"Cannot sign now: {error}", err=True)
        if stopped.wait(CHECK_SECONDS):
            return


def listening(address: str) -> socket.socket:
    """The socket of ADDRESS:PORT; port 0 is any free one. Raises BadInput, ConfigurationError."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal() and len(port) < 6 and int(port) < 65536):
        raise BadInput("--listen is not ADDRESS:PORT.", "Write it as 127.0.0.1:8547.")
    try:
        door = socket.create_server((host, int(port)))
    except OSError as error:
        raise ConfigurationError(f"{address} cannot be listened on: {error.strerror}.", "Name another port.") from None
    # For every connection that comes in. asyncio does it for sockets that name their protocol, as these do not; without
    # it each answer waits 40 ms, for the visitor to acknowledge its headers.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


def monitor(
    watch: Annotated[list[str], typer.Option(help="nib:NIB, record:0x…, holder:0x… or approver:0x…; any number")],
    rpc: Rpc = "http://127.0.0.1:8545",
    trust: Trust = Path("trust.json"),
    register: Annotated[str, typer.Option(help="kind of the only registers to follow")] = "",
    state: Annotated[Path, typer.Option(help="folder that remembers what was read")] = Path("khalayak-monitor"),
    once: Annotated[bool, typer.Option("--once", help="read up to the newest final block, and end")] = False,
) -> None:
    """Print one JSON line for each change of what you watch, once. Ends with an alarm when the node's story breaks."""
    from ledger.monitor import Watches
    from ledger.watching import open_monitor

    def say(line: dict[str, Any]) -> None:
        # Out of this process before the monitor goes on: what is said is then remembered as said.
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    log_to_stderr()
    said = ""
    with open_monitor(rpc, trust, state, Watches.parse(watch, register), say) as running:
        while True:
            try:
                running.run_once()
                said = ""
            except Unavailable as error:
                if once:
                    raise
                if error.message != said:
                    said = error.message
                    typer.echo(f"Cannot read now: {error}", err=True)
            if once:
                return
            time.sleep(CHECK_SECONDS)


COMMANDS = (witness, monitor)
