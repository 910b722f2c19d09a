"""The trust root: who is believed, in one small file (docs/protocol.md section 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ledger.checkpoint import VerifierKey
from ledger.encoding import RegisterName, exact_list, exact_object, from_hex, parse_address, parse_json, to_hex
from ledger.errors import BadInput, MalformedProof

FORMAT = "khalayak-trust@1"
MAX_BYTES = 1 << 20
MAX_REGISTERS = 256
MAX_WITNESSES = 64
MAX_APPROVERS = 32
MAX_REGISTRARS = 1024


@dataclass(frozen=True)
class TrustedRegister:
    """A register, the authority behind it, the keccak256 of both contracts' code. `authority_name` is the office;
    `threshold` the least number of registrars that every entry must have been approved by; `registrars` who they are,
    for paper, which shows no chain; empty where the trust root does not say."""

    name: RegisterName
    kind: str
    authority_name: str
    code_hash: bytes
    authority: str
    authority_code_hash: bytes
    threshold: int
    registrars: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrustRoot:
    """`witnesses` are verifier keys (C2SP signed-note); `threshold` of them must have signed a block."""

    name: str
    chain_id: int
    genesis: bytes
    registers: tuple[TrustedRegister, ...]
    witnesses: tuple[str, ...]
    threshold: int

    @property
    def origin(self) -> str:
        return f"{self.name}/eip155:{self.chain_id}"

    def register(self, name: RegisterName) -> TrustedRegister | None:
        return next((r for r in self.registers if r.name == name), None)

    def register_named(self, name: str) -> TrustedRegister:
        """The register of a CAIP-10 name. Raises BadInput."""
        found = self.register(RegisterName.parse(name))
        if found is None:
            raise BadInput(f"The trust root does not list the register {name}.", "Use the trust root it belongs to.")
        return found

    def register_of_kind(self, kind: str) -> TrustedRegister:
        """The first register of a kind. Raises BadInput."""
        for register in self.registers:
            if register.kind == kind:
                return register
        raise BadInput(f"The trust root lists no {kind} register.", "Use the trust.json of the office you ask about.")

    def as_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "name": self.name,
            "chainId": self.chain_id,
            "genesis": to_hex(self.genesis),
            "registers": [_register_json(r) for r in self.registers],
            "witnesses": {"keys": list(self.witnesses), "threshold": self.threshold},
        }

    @classmethod
    def parse(cls, data: bytes) -> TrustRoot:
        """Parse trust.json. Raises BadInput."""
        value = parse_json(data, MAX_BYTES, "The trust root")
        keys = {"format", "name", "chainId", "genesis", "registers", "witnesses"}
        value = exact_object(value, keys, "")
        if value["format"] != FORMAT:
            raise BadInput(f"/format: expected {FORMAT}.", "", "/format")
        name, chain_id = value["name"], value["chainId"]
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,99}", name):
            raise BadInput("/name: expected lower-case letters, digits, dots and hyphens.", "", "/name")
        if type(chain_id) is not int or chain_id < 1:
            raise BadInput("/chainId: expected a positive whole number.", "", "/chainId")
        registers = exact_list(value["registers"], MAX_REGISTERS, "/registers")
        parsed = tuple(_parse_register(r, chain_id, f"/registers/{i}") for i, r in enumerate(registers))
        witnesses = exact_object(value["witnesses"], {"keys", "threshold"}, "/witnesses")
        keys_list = exact_list(witnesses["keys"], MAX_WITNESSES, "/witnesses/keys")
        threshold = witnesses["threshold"]
        public_keys = {_public_key(key, f"/witnesses/keys/{i}") for i, key in enumerate(keys_list)}
        if type(threshold) is not int or not 1 <= threshold <= max(1, len(public_keys)):
            raise BadInput("/witnesses/threshold: expected 1 to the number of keys.", "", "/witnesses/threshold")
        return cls(name, chain_id, from_hex(value["genesis"], 32, "/genesis"), parsed, tuple(keys_list), threshold)


def _public_key(text: object, pointer: str) -> bytes:
    try:
        return VerifierKey.parse(text if isinstance(text, str) else "").public_key
    except MalformedProof as error:
        raise BadInput(f"{pointer}: {error.message}", error.hint, pointer) from None


def _register_json(register: TrustedRegister) -> dict[str, Any]:
    return {
        "address": register.name.address,
        "kind": register.kind,
        "authorityName": register.authority_name,
        "codeHash": to_hex(register.code_hash),
        "threshold": register.threshold,
        "registrars": list(register.registrars),
        "authority": {"address": register.authority, "codeHash": to_hex(register.authority_code_hash)},
    }


def _parse_register(value: object, chain_id: int, pointer: str) -> TrustedRegister:
    keys = {"address", "kind", "authorityName", "codeHash", "threshold", "registrars", "authority"}
    value = exact_object(value, keys, pointer)
    registrars = exact_list(value["registrars"], MAX_REGISTRARS, f"{pointer}/registrars")
    authority = exact_object(value["authority"], {"address", "codeHash"}, f"{pointer}/authority")
    if not isinstance(value["kind"], str) or not isinstance(value["authorityName"], str):
        raise BadInput(f"{pointer}: kind and authorityName must be strings.", "", pointer)
    threshold = value["threshold"]
    if type(threshold) is not int or not 1 <= threshold <= MAX_APPROVERS:
        raise BadInput(f"{pointer}/threshold: expected 1 to {MAX_APPROVERS}.", "", f"{pointer}/threshold")
    return TrustedRegister(
        RegisterName(chain_id, parse_address(value["address"], f"{pointer}/address")),
        value["kind"],
        value["authorityName"],
        from_hex(value["codeHash"], 32, f"{pointer}/codeHash"),
        parse_address(authority["address"], f"{pointer}/authority/address"),
        from_hex(authority["codeHash"], 32, f"{pointer}/authority/codeHash"),
        threshold,
        tuple(parse_address(name, f"{pointer}/registrars/{i}") for i, name in enumerate(registrars)),
    )
