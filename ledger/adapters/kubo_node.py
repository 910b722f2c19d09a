"""The RPC API of an IPFS node (Kubo), as far as documents need it. The node is not trusted: blocks are checked by
whoever asks for them, and every call ends in time or with one of our errors."""

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
from ipfshttpclient.client import block

from ledger.cid import CHUNK_SIZE, MAX_LINKS, Cid, parse
from ledger.errors import BadInput, ConfigurationError, DocumentMissing, DocumentStoreUnavailable

TESTED_VERSIONS = ("0.43.",)
SEND_SIZE = 1 << 17  # bytes: the memory of larger pieces is given back and taken anew each time
MAX_TOGETHER = 100  # CIDs in one request: they go into its URL

_NO_NODE = "does not answer as an IPFS node"
_log = structlog.get_logger(__name__)


class KuboNode:
    """Threads may share one. Nothing is asked of other nodes (`offline`), because a slow network looks like a document
    that nobody has. All methods raise DocumentStoreUnavailable."""

    def __init__(self, address: str, timeout: float) -> None:
        """`address` is the multiaddr of the RPC API; `timeout` is seconds a call, or between two pieces of what is
        sent. The node is not contacted yet. Raises ConfigurationError."""
        self.address = address
        self._timeout = timeout
        self._note_lock = threading.Lock()
        self._noted = False
        try:
            # Client, not connect(): that one refuses every Kubo since 0.8.
            self._client = ipfshttpclient.Client(
                address, offline=True, session=True, timeout=timeout, chunk_size=SEND_SIZE
            )
        except exceptions.AddressError as error:
            raise ConfigurationError(
                f"{address!r} is not the address of an IPFS node.", "Write it as /ip4/127.0.0.1/tcp/5001."
            ) from error

    def add(self, pieces: Iterable[bytes | memoryview]) -> Cid:
        """Store a file and pin it. Returns the CID that the node gave it."""
        with self._calls():
            answer = self._client.add(
                io.BufferedReader(_Pieces(pieces), SEND_SIZE),
                pin=True,
                cid_version=1,
                raw_leaves=True,
                chunker=f"size-{CHUNK_SIZE}",
                opts={"max-file-links": MAX_LINKS},
            )
            return self._cid(str(answer["Hash"]))

    def import_car(self, archive: Iterable[bytes | memoryview]) -> Cid:
        """Store the blocks of an archive with one root and pin that. Returns the root that the node found."""
        with self._calls():
            answer = self._client.dag.imprt(io.BufferedReader(_Pieces(archive), SEND_SIZE))["Root"]
            if answer["PinErrorMsg"]:
                raise self._unavailable(f"answered: {answer['PinErrorMsg']}")
            return self._cid(str(answer["Cid"]["/"]))

    def block(self, cid: Cid, limit: int) -> bytes:
        """The bytes of a block as the node sends them, cut after `limit` + 1. Raises DocumentMissing."""
        deadline = time.monotonic() + self._timeout
        data = bytearray()
        with self._calls(cid), self._client.block.get(str(cid), stream=True) as pieces:
            for piece in pieces:
                data += piece
                if len(data) > limit:
                    break
                # The client's own time-out starts anew with every piece.
                if time.monotonic() > deadline:
                    raise self._unavailable(f"did not finish within {self._timeout:g} s")
        return bytes(data[: limit + 1])

    def has_block(self, cid: Cid) -> bool:
        try:
            with self._calls(cid):
                self._client.block.stat(str(cid))
        except DocumentMissing:
            return False
        return True

    def pins(self) -> list[Cid]:
        """The roots that are pinned, in the order of their CIDs."""
        with self._calls():
            keys = self._client.pin.ls(type="recursive")["Keys"]
            return [self._cid(key) for key in sorted(keys)]

    def pin_instead(self, new: Cid, old: Cid) -> None:
        """Pin one root in place of another, which lets go of what only that one held."""
        with self._calls(), _but("already recursively pinned"):
            self._client.pin.update(str(old), str(new))
            return
        self.unpin(old)

    def unpin(self, cid: Cid) -> None:
        """Idempotent."""
        with self._calls(), _but("not pinned"):
            self._client.pin.rm(str(cid))

    def put_node(self, data: bytes | memoryview) -> None:
        """Store a dag-pb block. It is not pinned."""
        with self._calls():
            self._client.block.put(io.BytesIO(data), opts={"cid-codec": "dag-pb"})

    def remove_blocks(self, cids: list[Cid]) -> None:
        """The bytes are gone, but for those of blocks that are missing already, or that a pin still holds."""
        for start in range(0, len(cids), MAX_TOGETHER):
            with self._calls():
                _Blocks(self._client).rm([str(cid) for cid in cids[start : start + MAX_TOGETHER]])

    def _cid(self, text: str) -> Cid:
        try:
            return parse(text)
        except BadInput as error:
            raise self._unavailable(_NO_NODE) from error

    @contextmanager
    def _calls(self, cid: Cid | None = None) -> Iterator[None]:
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
            f"The IPFS node at {self.address} {what}.", "Check that it runs, then try again: nothing was lost."
        )


class _Blocks(block.Section):  # type: ignore[misc]
    """What the client's own section of blocks lacks."""

    def rm(self, cids: list[str]) -> None:
        self._client.request("/block/rm", cids, opts={"force": "true"}, decoder="json")


class _Pieces(io.RawIOBase):
    """Pieces as a file to read."""

    def __init__(self, pieces: Iterable[bytes | memoryview]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


@contextmanager
def _but(saying: str) -> Iterator[None]:
    """Passes over the node's refusal for a reason that is none to us. It has no code for it."""
    try:
        yield
    except exceptions.ErrorResponse as error:
        if saying not in str(error):
            raise


def _durable(spec: dict[str, Any]) -> bool:
    """Whether no part of a Datastore.Spec is a flatfs that leaves blocks in the page cache, as Kubo's default does."""
    parts = [*spec.get("mounts", []), *([spec["child"]] if "child" in spec else [])]
    if spec.get("type") == "flatfs" and spec.get("sync") is not True:
        return False
    return all(_durable(part) for part in parts)
