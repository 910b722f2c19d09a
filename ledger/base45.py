"""Base45 (RFC 9285): bytes in the characters that a QR code holds most densely."""

from __future__ import annotations

from ledger.errors import BadInput

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}


def encode(data: bytes) -> str:
    out = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            out.append(_ALPHABET[digit])
    return "".join(out)


def decode(text: str) -> bytes:
    """Raises BadInput for what no bytes encode to."""
    out = bytearray()
    for start in range(0, len(text), 3):
        digits = [_VALUES.get(character, -1) for character in text[start : start + 3]]
        number = sum(digit * 45**place for place, digit in enumerate(digits))
        size = len(digits) - 1
        if min(digits) < 0 or size == 0 or number >= 256**size:
            raise BadInput(f"The text is not base45 at character {start + 1}.", "Scan it again.")
        out += number.to_bytes(size, "big")
    return bytes(out)
