"""The answer to eth_getLogs, read by hand: a follower that catches up reads tens of thousands of logs a second."""

from __future__ import annotations

from binascii import unhexlify
from operator import itemgetter

from ledger.model import Log

_TOLD = itemgetter("address", "topics", "data", "blockNumber", "logIndex", "blockHash", "transactionHash")
_PLACE = itemgetter(Log._fields.index("block_number"), Log._fields.index("log_index"))


def read_logs(address: str, first: int, last: int, found: object) -> list[Log]:
    """The logs of one contract in these blocks, in chain order. `found` is the parsed result of a node. Raises
    ValueError, TypeError, LookupError or AttributeError for what is no list of such logs: also for one of another
    contract or block."""
    if not isinstance(found, list):
        raise TypeError(found)
    if any(item.get("removed") for item in found):
        raise ValueError("a log that a block had which is no more")
    logs, words, numbers, asked = [], _Words(), _Numbers(), address.lower()
    new = tuple.__new__
    for of, names, data, block, place, block_hash, transaction in map(_TOLD, found):
        number, index = numbers[block], numbers[place]
        if not first <= number <= last or index < 0 or of.lower() != asked:
            raise ValueError("a log that was not asked for")
        if data[:2] != "0x":
            raise ValueError("data that is not in hex")
        # Names of events and hashes of blocks come again and again; what an event is about does not.
        topics = (words[names[0]], *map(_word, names[1:])) if names else ()
        told = (address, topics, unhexlify(data[2:]), number, words[block_hash], words[transaction], index)
        logs.append(new(Log, told))
    logs.sort(key=_PLACE)
    return logs


class _Words(dict[str, bytes]):
    """Hex → the 32 bytes, each read once."""

    def __missing__(self, text: str) -> bytes:
        self[text] = found = _word(text)
        return found


class _Numbers(dict[str, int]):
    """Hex → the number, each read once."""

    def __missing__(self, text: str) -> int:
        self[text] = found = int(text, 16)
        return found


def _word(text: str) -> bytes:
    if len(text) != 66 or text[:2] != "0x":
        raise ValueError("not 32 bytes in hex")
    return unhexlify(text[2:])
