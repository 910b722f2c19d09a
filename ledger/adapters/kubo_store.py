"""DocumentStore in an IPFS node (Kubo) through its RPC API. The node is not trusted: what it answers is checked."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import ipfshttpclient
import structlog
from ipfshttpclient import exceptions

from ledger.cid import CHUNK_SIZE, MAX_LINKS, cid_of, normalise, parse, verify
from ledger.errors import (
    BadInput,
    ConfigurationError,
    DocumentCorrupt,
    DocumentMissing,
    DocumentStoreUnavailable,
    TooLarge,
)

TESTED_VERSIONS = ("0.43.",)

_NO_NODE = "does not answer as an IPFS node"
_log = structlog.get_logger(__name__)


class KuboStore:
    """Implements ledger.ports.DocumentStore. Threads may share one: each call opens a connection of its own.

    It is as durable as the node: see the warning in `_note_node`. "Missing" means that this node does not hold the
    document: other nodes are never asked (`offline`), because a slow network looks like a document that nobody has.
    """

    name = "kubo"

    def __init__(self, address: str, timeout: float = 30.0) -> None:
        """`address` is the multiaddr of the node's RPC API, as /ip4/127.0.0.1/tcp/5001; `timeout` is seconds a call.
        The node is not contacted yet. Raises ConfigurationError."""
        self._address = address
        self._timeout = timeout
        self._note_lock = threading.Lock()
        self._noted = False
        try:
            # Client, not connect(): that one refuses every Kubo since 0.8.
            self._client = ipfshttpclient.Client(address, offline=True, timeout=timeout)
        except exceptions.AddressError as error:
            raise ConfigurationError(
                f"{address!r} is not the address of an IPFS node.", "Write it as /ip4/127.0.0.1/tcp/5001."
            ) from error

    def put(self, data: bytes) -> str:
        cid = cid_of(data)
        with self._calls():
            answer = self._client.add(
                io.BytesIO(data),
                pin=True,
                cid_version=1,
                raw_leaves=True,
                chunker=f"size-{CHUNK_SIZE}",
                opts={"max-file-links": MAX_LINKS},
            )
            answered = str(answer["Hash"])
        try:
            same = parse(answered) == parse(cid)
        except BadInput as error:
            raise self._unavailable(_NO_NODE) from error
        if not same:
            raise DocumentCorrupt(
                f"The IPFS node stored document {cid} as {answered}.", "Check its version and its Import settings."
            )
        return cid

    def put_many(self, items: Iterable[bytes]) -> list[str]:
        return [self.put(data) for data in items]

    def get(self, cid: str, size_limit: int) -> bytes:
        cid = normalise(cid)
        deadline = time.monotonic() + self._timeout
        data = bytearray()
        with self._calls(cid), self._client.cat(cid, length=size_limit + 1, stream=True) as pieces:
            for piece in pieces:
                data += piece
                if len(data) > size_limit:
                    raise TooLarge(
                        f"Document {cid} is larger than {size_limit} bytes.", "Raise the limit if it should be."
                    )
                # The client's own time-out starts anew with every piece.
                if time.monotonic() > deadline:
                    raise self._unavailable(f"did not finish within {self._timeout:g} s")
        content = bytes(data)
        verify(cid, content)
        return content

    def has(self, cid: str) -> bool:
        """Whether the node holds the root block. The bytes are checked by `get` only."""
        cid = normalise(cid)
        try:
            with self._calls(cid):
                self._client.block.stat(cid)
        except DocumentMissing:
            return False
        return True

    @contextmanager
    def _calls(self, cid: str = "") -> Iterator[None]:
        """Turns what the client raises into our errors."""
        try:
            self._note_node()
            yield
        except exceptions.ErrorResponse as error:
            # Kubo has no code for it: this is how its RPC says that a block is not in its own store.
            if cid and ("not found locally" in str(error) or "could not find" in str(error)):
                raise DocumentMissing(
                    f"Document {cid} is not on the IPFS node.", "Look in another store or a backup."
                ) from error
            raise self._unavailable(f"answered: {error}") from error
        except exceptions.TimeoutError as error:
            raise self._unavailable(f"did not answer within {self._timeout:g} s") from error
        except exceptions.ConnectionError as error:
            raise self._unavailable("cannot be reached") from error
        except exceptions.Error as error:
            raise self._unavailable(_NO_NODE) from error
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            # JSON of another shape than an IPFS node's: the client and the lines above trip over it in these ways.
            raise self._unavailable(_NO_NODE) from error
        except OSError as error:
            # requests' own errors, which the client lets through while a body is read.
            raise self._unavailable("broke off") from error

    def _note_node(self) -> None:
        """Say once which node this is, as a warning when its version is untested or it may lose documents with the
        power. Any version is used: every answer is checked anyway."""
        with self._note_lock:
            if self._noted:
                return
            version = str(self._client.version()["Version"])
            durable = _durable(self._client.config.get().as_json()["Datastore"]["Spec"])
            self._noted = True
        tested = version.startswith(TESTED_VERSIONS)
        (_log.info if tested and durable else _log.warning)(
            "ipfs_node", version=version, tested=tested, durable=durable
        )

    def _unavailable(self, what: str) -> DocumentStoreUnavailable:
        return DocumentStoreUnavailable(
            f"The IPFS node at {self._address} {what}.", "Check that it runs, then try again: nothing was lost."
        )


def _durable(spec: dict[str, Any]) -> bool:
    """Whether no part of a Datastore.Spec is a flatfs that leaves blocks in the page cache, as Kubo's default does."""
    parts = [*spec.get("mounts", []), *([spec["child"]] if "child" in spec else [])]
    if spec.get("type") == "flatfs" and spec.get("sync") is not True:
        return False
    return all(_durable(part) for part in parts)
