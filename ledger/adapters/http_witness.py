"""A witness elsewhere, over HTTP. It is not trusted: what it answers is read within limits and compared."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache

import httpx

from ledger.checkpoint import MAX_BYTES, Checkpoint, parse
from ledger.encoding import to_hex
from ledger.errors import ConfigurationError, MalformedProof, SplitView, Unavailable

DEADLINE = 5.0


class HttpWitness:
    """Asks `khalayak witness` at a URL for its signature line (ledger.cosigned.Cosign). `deadline` is in seconds, for
    the whole of an answer: one that trickles for ever ends then too."""

    def __init__(self, url: str, deadline: float = DEADLINE) -> None:
        """Raises ConfigurationError when the URL is not an http(s) one with nothing but a path."""
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL()
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo or parsed.query:
            raise ConfigurationError(
                "A URL of a witness is not an http or https one.", "Correct KHALAYAK_WITNESSES: URLs, spaces between."
            )
        self._url = str(parsed).rstrip("/")
        self._deadline = deadline
        self._tls = _tls_context()

    def __call__(self, checkpoint: Checkpoint) -> str:
        """Raises Unavailable, MalformedProof, SplitView (it says that the block of this number is another one)."""
        try:
            text = asyncio.run(self._read(checkpoint.number)).decode()
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unavailable(f"does not answer: {type(error).__name__}") from None
        except UnicodeDecodeError:
            raise MalformedProof(f"The witness at {self._url} does not answer with text.") from None
        answered, lines = parse(text)
        if len(lines) != 1:
            raise MalformedProof(f"The witness at {self._url} answers with {len(lines)} signatures instead of its own.")
        if (answered.origin, answered.number) != (checkpoint.origin, checkpoint.number):
            raise MalformedProof(f"The witness at {self._url} answers about another block or chain than it was asked.")
        if answered.block_hash != checkpoint.block_hash:
            raise SplitView(
                f"Split view: for the witness at {self._url} block {answered.number} is {to_hex(answered.block_hash)}, "
                f"for this office's node {to_hex(checkpoint.block_hash)}.",
                "One of the two nodes is on a fork. Find out which before anything is issued.",
            )
        return lines[0]

    async def _read(self, number: int) -> bytes:
        body, headers = bytearray(), {"Accept-Encoding": "identity"}
        client = httpx.AsyncClient(verify=self._tls, timeout=self._deadline, trust_env=False, headers=headers)
        url = f"{self._url}/checkpoint/{number}"
        # One deadline around all of it: httpx's own time-outs start anew with every byte that trickles in.
        async with asyncio.timeout(self._deadline), client, client.stream("GET", url) as response:
            if response.status_code != 200:
                raise self._unavailable(f"answers with status {response.status_code}")
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise self._unavailable(f"answers with more than {MAX_BYTES:,} bytes")
        return bytes(body)

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(f"The witness at {self._url} {what}.", "The others are asked all the same.")


@cache
def _tls_context() -> ssl.SSLContext:
    """One for all: reading the certificates of the authorities takes longer than asking a witness."""
    return httpx.create_ssl_context()
