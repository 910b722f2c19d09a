"""The answer to eth_getLogs, read by hand: a follower that catches up reads tens of thousands of logs a second."""

from __future__ import annotations

from operator import itemgetter

from ledger.encoding import address_bytes
from ledger.model import Log

_PLACE = itemgetter(Log._fields.index("block_number"), Log._fields.index("log_index"))


def read_logs(address: str, first: int, last: int, found: object) -> list[Log]:
    """The logs of one contract in these blocks, in chain order. `found` is the parsed result of a node. Raises
    ValueError, TypeError or LookupError for what is no list of such logs: also for one of another contract or block."""
    if not isinstance(found, list):
        raise TypeError(found)
    logs, known, words, asked = [], _Known(), _Known(32), address_bytes(address)
    fromhex, new = bytes.fromhex, tuple.__new__
    for item in found:
        names, data = item["topics"], item["data"]
        number, index = int(item["blockNumber"], 16), int(item["logIndex"], 16)
        if not first <= number <= last or index < 0 or known[item["address"]] != asked or item.get("removed"):
            raise ValueError("a log that was not asked for")
        raw = fromhex(data[2:])
        if data[:2] != "0x" or 2 * len(raw) != len(data) - 2:
            raise ValueError("data that is not in hex")
        # Names of events and hashes of blocks come again and again; what an event is about does not.
        topics = (words[names[0]], *[_read(name, 32) for name in names[1:]]) if names else ()
        block, transaction = words[item["blockHash"]], words[item["transactionHash"]]
        logs.append(new(Log, (address, topics, raw, number, block, transaction, index)))
    logs.sort(key=_PLACE)
    return logs


class _Known(dict[str, bytes]):
    """Hex → its bytes, `length` of them (any number if 0), each read once."""

    def __init__(self, length: int = 0) -> None:
        self.length = length

    def __missing__(self, text: str) -> bytes:
        self[text] = found = _read(text, self.length)
        return found


def _read(text: str, length: int) -> bytes:
    raw = bytes.fromhex(text[2:])
    if text[:2] != "0x" or 2 * len(raw) != len(text) - 2 or len(raw) != (length or len(raw)):
        raise ValueError("not in hex, or too short")
    return raw
