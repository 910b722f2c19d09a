"""The offline code on paper, khalayak-paper@1: mandatory fields and the registrars' signatures, in one QR code.

It verifies with no network and is honest about what it cannot know: whether the entry was ever recorded, and what
became of it since. So its status is always unknown (docs/adr/0009-offline-code.md). The form is CBOR in base45 after
`KHALAYAK1:`, an array of: 1, kind, chain id, address of the register, [block, time] of printing, name of the signed
struct, its members (ledger/paper_message.py), [[signer, signature], …], leaves of the content, and the place in a batch
([index, path]) or null. A leaf is [salt, name, value], or its hash where it is withheld.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cbor2

from ledger import base45, cbor, merkle
from ledger.certificate import Certificate
from ledger.content import MAX_FIELDS, Content, SaltedField
from ledger.encoding import RegisterName, address_bytes, checksum_address
from ledger.errors import BadInput, TooLarge
from ledger.model import Approval
from ledger.paper_message import checked, compact
from ledger.registers import REGISTERS
from ledger.registers.leaf import MAX_PATH, Leaf
from ledger.state_proof import parse_header
from ledger.trust import MAX_APPROVERS
from wallet.typed_data import TypedData

PREFIX = "KHALAYAK1:"
MAX_BYTES = 1300
IN_BATCH = ("AppendBatch", "AppendLeaves")
_HINT = "Scan it again, or use the .json file or the PDF of the office."


@dataclass(frozen=True)
class Paper:
    """What a code says. `leaves` are those of the content in order, a hash for one that is withheld; `place` is the
    index in a batch with its path; `block` and `time` (seconds) are when it was printed, which nothing here proves."""

    kind: str
    register: RegisterName
    block: int
    time: int
    primary: str
    message: list[Any]
    signatures: tuple[tuple[str, bytes], ...]
    leaves: tuple[SaltedField | bytes, ...]
    place: tuple[int, tuple[bytes, ...]] | None

    @property
    def digest(self) -> bytes:
        return merkle.root([leaf if isinstance(leaf, bytes) else leaf.leaf() for leaf in self.leaves])

    @property
    def values(self) -> dict[str, Any]:
        return {leaf.name: leaf.value for leaf in self.leaves if isinstance(leaf, SaltedField)}

    def text(self) -> str:
        """The text of the QR code. Raises TooLarge."""
        leaves = [
            leaf if isinstance(leaf, bytes) else [_salt(leaf.salt), leaf.name, leaf.value] for leaf in self.leaves
        ]
        register = [self.kind, self.register.chain_id, address_bytes(self.register.address)]
        signatures = [[address_bytes(signer), signature] for signer, signature in self.signatures]
        place = [self.place[0], list(self.place[1])] if self.place else None
        signed = [self.primary, self.message, signatures]
        data = cbor2.dumps([1, *register, [self.block, self.time], *signed, leaves, place], canonical=True)
        if len(data) > MAX_BYTES:
            raise TooLarge(f"The offline code would have {len(data):,} bytes; paper takes {MAX_BYTES:,}.", _HINT)
        return PREFIX + base45.encode(data)

    @classmethod
    def parse(cls, text: str) -> Paper:
        """Raises BadInput."""
        value = _decoded(text)
        if not isinstance(value, list) or len(value) != 10 or value[0] != 1:
            raise BadInput("This is not a khalayak-paper@1 code.", _HINT)
        _, kind, chain_id, address, as_of, primary, message, signatures, leaves, place = value
        if not isinstance(kind, str) or kind not in REGISTERS:
            raise BadInput("The code is of no kind of register.", _HINT)
        block, time = (_number(number) for number in _list(as_of, 2, 2))
        name = RegisterName(_number(chain_id), checksum_address(_bytes(address, 20)))
        pairs = [_list(pair, 2, 2) for pair in _list(signatures, 1, MAX_APPROVERS)]
        signed = tuple((checksum_address(_bytes(signer, 20)), _bytes(sign, 65)) for signer, sign in pairs)
        fields = tuple(_leaf(leaf) for leaf in _list(leaves, 1, MAX_FIELDS))
        return cls(kind, name, block, time, *checked(primary, message), signed, fields, _place(place))


def paper_of(certificate: Certificate, content: Content, data: TypedData, approvals: Sequence[Approval]) -> Paper:
    """The paper of a certificate: `data` is what was signed to bring its `content`, `approvals` hold the registrars'
    signatures of it. Raises BadInput when they are not about this content."""
    header, evidence = parse_header(certificate.state.header), certificate.evidence
    mandatory = REGISTERS[certificate.kind].schema.mandatory
    in_batch = isinstance(evidence, Leaf) and data.primary_type in IN_BATCH
    return Paper(
        certificate.kind,
        certificate.register,
        header.number,
        header.time,
        data.primary_type,
        _batch_message(data) if in_batch else compact(data, content.digest),
        tuple((approval.signer, approval.signature) for approval in approvals if approval.role == "registrar"),
        tuple(field if field.name in mandatory else field.leaf() for field in content.fields),
        (evidence.index, evidence.path) if in_batch and isinstance(evidence, Leaf) else None,
    )


def _batch_message(data: TypedData) -> list[Any]:
    return [data.message[member["name"]] for member in data.types[data.primary_type]]


def _decoded(text: str) -> Any:
    if not text.startswith(PREFIX) or len(text) > 2 * MAX_BYTES:
        raise BadInput(f"The code does not begin with {PREFIX}, or is too long.", _HINT)
    return cbor.loads(base45.decode(text.removeprefix(PREFIX)))


def _salt(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


def _leaf(value: Any) -> SaltedField | bytes:
    if isinstance(value, bytes):
        return _bytes(value, 32)
    salt, name, text = _list(value, 3, 3)
    if not isinstance(name, str) or not isinstance(text, str):
        raise BadInput("A field of the code has no name or no text.", _HINT)
    return SaltedField(urlsafe_b64encode(_bytes(salt, 16)).rstrip(b"=").decode(), name, text)


def _place(value: Any) -> tuple[int, tuple[bytes, ...]] | None:
    if value is None:
        return None
    index, path = _list(value, 2, 2)
    return _number(index), tuple(_bytes(node, 32) for node in _list(path, 0, MAX_PATH))


def _list(value: Any, least: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise BadInput("A list of the code has another length than it must.", _HINT)
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise BadInput("A number of the code is out of range.", _HINT)
    return value


def _bytes(value: Any, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) != size:
        raise BadInput(f"The code does not have {size} bytes where it must.", _HINT)
    return value
