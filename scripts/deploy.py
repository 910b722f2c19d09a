"""Deploys Authority and the registers, and writes the office's folder: trust root, keys, secrets."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rlp
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from eth_abi import encode

from ledger.adapters.evm_chain import EvmChain
from ledger.encoding import RegisterName, address_bytes, checksum_address, keccak256, to_hex
from ledger.errors import ConfigurationError, Refused, Unavailable
from ledger.land_entry import MAX_COOLING_OFF
from ledger.readers import public_line
from ledger.registers import REGISTERS
from ledger.settings import DEVNET_CHAIN_ID, Settings
from ledger.trust import TrustedRegister, TrustRoot
from ledger.witness import Witness, create_witness_key
from wallet.files import write_private
from wallet.keys import new_key
from wallet.keystore import write_keystore
from wallet.late import eth_account
from wallet.signer import LocalSigner, Signer

ARTIFACTS = Path(__file__).parent.parent / "contracts" / "artifacts"
ADMIN_ROLE = 0  # AccessManager.ADMIN_ROLE
REGISTRAR_ROLE = 1
GUARDIAN_ROLE = 2
COURT_ROLE = 3
DAY = 86_400
RELAYER_FUNDS = 10**18
DEVNET_RECOVERY_DELAY = 60  # a newcomer should see how it ends
DEVNET_WORK_FACTOR = 1 << 12  # devnet keys guard nothing, and a newcomer should not wait for scrypt


@dataclass(frozen=True)
class Plan:
    """Who will govern: `registrars` are addresses of which `threshold` must approve every change, `judges` those of
    which `court_threshold` act for the court; `admin`, meant to be a multisig, appoints them; `guardian` can mark a
    registrar's key as suspect and nothing else. `recovery_delay` is how long the controller of an identity may refuse
    its recovery, and `cooling_off` how long a holder may object to a transfer (0 for none, at most 90 days),
    in seconds."""

    trust_name: str
    authority_name: str
    admin: str
    guardian: str
    registrars: tuple[str, ...]
    threshold: int
    judges: tuple[str, ...]
    court_threshold: int
    recovery_delay: int
    cooling_off: int


class Deployer:
    """Sends the deployer's transactions one after the other and waits for each."""

    def __init__(self, chain: EvmChain, signer: Signer) -> None:
        self.chain = chain
        self.signer = signer

    def create(self, contract: str, *arguments: tuple[str, Any]) -> str:
        """Deploy a contract and return its address."""
        types, values = [kind for kind, _ in arguments], [value for _, value in arguments]
        data = bytes.fromhex(_artifact(contract)["bytecode"].removeprefix("0x")) + encode(types, values)
        nonce = self._send(None, data)
        return checksum_address(keccak256(rlp.encode([address_bytes(self.signer.address), nonce]))[12:])

    def call(self, to: str, signature: str, *values: Any) -> None:
        """Call a function given by its signature, as grantRole(uint64,address,uint32)."""
        types = signature[signature.index("(") + 1 : -1].split(",")
        self._send(to, keccak256(signature.encode())[:4] + encode(types, values))

    def fund(self, to: str, wei: int) -> None:
        self._send(to, b"", wei)

    def _send(self, to: str | None, data: bytes, value: int = 0) -> int:
        nonce, fees = self.chain.next_nonce(self.signer.address), self.chain.fees()
        transaction = {
            "type": 2,
            "chainId": self.chain.chain_id(),
            "nonce": nonce,
            "value": value,
            "data": data,
            "gas": 8_000_000,
            "maxFeePerGas": fees.max_fee,
            "maxPriorityFeePerGas": fees.priority_fee,
        }
        raw = self.signer.sign_transaction(transaction | ({"to": to} if to else {}))
        self.chain.send(raw)
        self._wait(keccak256(raw))
        return nonce

    def _wait(self, transaction_hash: bytes) -> None:
        for _ in range(600):
            receipt = self.chain.receipt(transaction_hash)
            if receipt and receipt.succeeded:
                return
            if receipt:
                raise Refused(f"Transaction 0x{transaction_hash.hex()} reverted.", "Is the deployer the admin?")
            time.sleep(0.1)
        raise Unavailable("A transaction of the deployment was not mined within a minute.", "Is the chain running?")


def deploy(chain: EvmChain, deployer: Signer, plan: Plan, witnesses: tuple[str, ...]) -> TrustRoot:
    """Deploy the contracts, grant the roles, give up the deployer's own, and answer with the trust root. `witnesses`
    are verifier keys. Raises ConfigurationError."""
    _check_plan(plan, deployer.address, chain.chain_id())
    run = Deployer(chain, deployer)
    authority = run.create("Authority", ("address", deployer.address))
    addresses = {
        kind: _deploy_register(run, register.contract, authority, plan) for kind, register in REGISTERS.items()
    }
    for address in addresses.values():
        run.call(authority, "setPolicy(address,uint64,uint8)", address, REGISTRAR_ROLE, plan.threshold)
        run.call(authority, "setCourtPolicy(address,uint64,uint8)", address, COURT_ROLE, plan.court_threshold)
    for role, members in ((REGISTRAR_ROLE, plan.registrars), (COURT_ROLE, plan.judges)):
        for member in members:
            run.call(authority, "grantRole(uint64,address,uint32)", role, member, 0)
    mark_suspect = keccak256(b"markSuspect(address,uint40)")[:4]
    run.call(authority, "setTargetFunctionRole(address,bytes4[],uint64)", authority, [mark_suspect], GUARDIAN_ROLE)
    run.call(authority, "grantRole(uint64,address,uint32)", GUARDIAN_ROLE, plan.guardian, 0)
    # Last, and in this order: from here on the deployer's key is worth nothing.
    run.call(authority, "grantRole(uint64,address,uint32)", ADMIN_ROLE, plan.admin, 0)
    run.call(authority, "renounceRole(uint64,address)", ADMIN_ROLE, deployer.address)
    trusted = tuple(_trusted(chain, plan, kind, address, authority) for kind, address in addresses.items())
    threshold = len(witnesses) // 2 + 1
    return TrustRoot(plan.trust_name, chain.chain_id(), chain.genesis_hash(), trusted, witnesses, threshold)


def deploy_bundle(chain: EvmChain, deployer: Signer) -> dict[str, str]:
    """What an office keeps as bundle.json: the contract that carries several of its applications in one transaction.
    It has no authority, so anybody's serves."""
    address = Deployer(chain, deployer).create("Bundle")
    return {"address": address, "codeHash": to_hex(keccak256(chain.code(address)))}


def _check_plan(plan: Plan, deployer: str, chain_id: int) -> None:
    for what, members, threshold in (
        ("registrars", plan.registrars, plan.threshold),
        ("judges", plan.judges, plan.court_threshold),
    ):
        if len(set(members)) < threshold:
            raise ConfigurationError(
                f"{threshold} {what} must approve, and only {len(set(members))} are named.", "Name more."
            )
    if deployer in (plan.admin, plan.guardian, *plan.registrars, *plan.judges):
        raise ConfigurationError("The deployer's key may hold no role.", "Deploy with a key made for that only.")
    if not 0 <= plan.cooling_off <= MAX_COOLING_OFF:
        raise ConfigurationError(
            f"A cooling-off window of {plan.cooling_off} seconds is refused by the register.",
            f"Name 0 for none, or up to {MAX_COOLING_OFF} seconds.",
        )
    if plan.recovery_delay < (1 if chain_id == DEVNET_CHAIN_ID else DAY):
        raise ConfigurationError(
            f"A recovery could take effect after {plan.recovery_delay} seconds.", "Give its controller a day at least."
        )


def _deploy_register(run: Deployer, contract: str, authority: str, plan: Plan) -> str:
    windows = {
        "LandRegister": [("uint256", plan.cooling_off)],
        "IdentityRegister": [("uint40", plan.recovery_delay)],
    }
    return run.create(contract, ("address", authority), *windows.get(contract, []))


def _trusted(chain: EvmChain, plan: Plan, kind: str, address: str, authority: str) -> TrustedRegister:
    return TrustedRegister(
        RegisterName(chain.chain_id(), address),
        kind,
        plan.authority_name,
        keccak256(chain.code(address)),
        authority,
        keccak256(chain.code(authority)),
        plan.threshold,
        plan.registrars,
    )


def deploy_devnet(settings: Settings) -> TrustRoot:
    """A whole demo office on the devnet: contracts, a relayer with funds, registrars, judges, witnesses, secrets.
    Raises ConfigurationError when the chain is not the devnet or the folder holds an office already."""
    chain = EvmChain(settings.rpc_url)
    if chain.chain_id() != DEVNET_CHAIN_ID:
        raise ConfigurationError("The node does not serve the devnet.", "Only a devnet gets demo keys.")
    if settings.trust_file.exists():
        raise ConfigurationError(f"{settings.data} holds an office already.", "Set KHALAYAK_DATA to an empty folder.")
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    registrars = tuple(_keystore(settings, settings.registrar_keystores / f"registrar-{n}.json") for n in (1, 2, 3))
    relayer = _keystore(settings, settings.relayer_keystore)
    witnesses = tuple(
        Witness(name, create_witness_key(path), path.with_suffix(".log")).verifier_key
        for name in ("universitas.example", "koran.example", "pengadilan.example")
        for path in [settings.witness_keys / f"{name}.pem"]
    )
    admin, guardian = (_keystore(settings, settings.data / f"{name}.json") for name in ("admin", "guardian"))
    deployer = devnet_account()
    judges = tuple(_keystore(settings, settings.court_keystores / f"judge-{n}.json") for n in (1, 2))
    court = X25519PrivateKey.generate().private_bytes_raw()
    write_private(settings.court_keystores / "reader-key", court)
    write_private(settings.readers / "court.pub", public_line(court).encode())
    name, office = "demo.khalayak.example", "Kantor Layanan Publik Contoh (demo)"
    plan = Plan(name, office, admin, guardian, registrars, 2, judges, 1, DEVNET_RECOVERY_DELAY, 0)
    trust = deploy(chain, deployer, plan, witnesses)
    settings.bundle_file.write_text(json.dumps(deploy_bundle(chain, deployer), indent=2) + "\n")
    Deployer(chain, deployer).fund(relayer, RELAYER_FUNDS)
    write_office_files(settings, trust)
    return trust


def write_office_files(settings: Settings, trust: TrustRoot) -> None:
    """The secrets first and the trust root last: a folder with a trust root is a whole one."""
    write_private(settings.office_key, X25519PrivateKey.generate().private_bytes_raw())
    write_private(settings.token_secret, secrets.token_bytes(32))
    settings.trust_file.write_text(json.dumps(trust.as_json(), indent=2) + "\n")


def devnet_account() -> LocalSigner:
    """Hardhat's first account, whose key is public knowledge; it has funds on the devnet only."""
    eth_account().enable_unaudited_hdwallet_features()
    account = eth_account().from_mnemonic("test test test test test test test test test test test junk")
    return LocalSigner(bytes(account.key))


def _keystore(settings: Settings, path: Path) -> str:
    key = new_key()
    write_keystore(path, key, settings.password, work_factor=DEVNET_WORK_FACTOR)
    return LocalSigner(key).address


def _artifact(contract: str) -> dict[str, Any]:
    artifact: dict[str, Any] = json.loads((ARTIFACTS / f"{contract}.json").read_text())
    return artifact
