"""How long contents are kept, what a legal hold keeps, and what is held about a person."""

from __future__ import annotations

import hmac
import re
import secrets
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ledger.content import cids_of
from ledger.encoding import to_hex
from ledger.errors import BadInput, ConfigurationError, Conflict, NotFound, Refused
from ledger.holds import Holds, typed
from ledger.model import ApplicationState, HeldContent, Hold
from ledger.ports import Clock, RecordStore
from ledger.registers import REGISTERS, register_of_kind
from ledger.trust import TrustedRegister, TrustRoot
from wallet.errors import KeystoreMissing
from wallet.files import read_private, write_private
from wallet.signer import Signer

MAX_YEARS = 1_000
OPEN = 10_000  # applications that are looked at when a hold is placed


@dataclass(frozen=True)
class Policy:
    """Kind of register → years that its contents are kept for; those of other kinds are kept without an end."""

    years: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> Policy:
        """A TOML file with a table `years`; without one nothing is ever due. Raises ConfigurationError."""
        try:
            value = tomllib.loads(path.read_text()) if path.exists() else {"years": {}}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{path} cannot be read as TOML: {error}.") from None
        years = value.get("years")
        if value.keys() != {"years"} or not isinstance(years, dict):
            raise ConfigurationError(f"{path} must hold one table, years.", "As: [years], and below it diplomas = 30.")
        for kind, number in years.items():
            if kind not in REGISTERS or type(number) is not int or not 0 < number <= MAX_YEARS:
                known = ", ".join(sorted(REGISTERS))
                raise ConfigurationError(
                    f"{path}: {kind[:40]!r} is not a kind with whole years from 1 to {MAX_YEARS}.", f"Kinds: {known}."
                )
        return cls(years)

    def until(self, kind: str, since: int) -> int | None:
        """The end of the time that a content is kept for, in seconds since 1970."""
        if kind not in self.years:
            return None
        day = datetime.fromtimestamp(since, UTC)
        try:
            return int(day.replace(year=day.year + self.years[kind]).timestamp())
        except ValueError:  # 29 February, or beyond the year 9999
            year = min(day.year + self.years[kind], datetime.max.year)
            return int(day.replace(year=year, day=28).timestamp())


@dataclass(frozen=True)
class Holding:
    """What is held: a content, by kind, record and names of its fields; who reads its document; from when, until when
    by the policy (None: without an end), and whether a legal hold stands on it. It shows no value."""

    kind: str
    content: HeldContent
    documents: Mapping[str, Sequence[str]]
    until: int | None
    on_hold: bool

    @property
    def fields(self) -> list[str]:
        return [field["name"] for field in self.content.fields]


class Retention:
    """`holds` are those of the key ring. `index_key` is a file with the secret of the index of persons; it is made
    where there is none."""

    def __init__(self, trust: TrustRoot, store: RecordStore, holds: Holds, clock: Clock, index_key: Path) -> None:
        self.trust = trust
        self.store = store
        self.holds = holds
        self.clock = clock
        self.index_key = index_key

    def due(self, policy: Policy) -> Iterator[Holding]:
        """What is kept for longer than the policy says, oldest first."""
        now = self.clock.now()
        for content in self.store.contents_until(now):
            until = policy.until(self._kind(content), content.created)
            if until is not None and until <= now:
                yield self._holding(policy, content)

    def held_about(self, policy: Policy, values: Sequence[str]) -> list[Holding]:
        """What is held of whom all of these values say something: a name and a day of birth, as it is written in any
        spelling of case, spaces and marks. Raises BadInput, WalletError."""
        wanted = [normalised(value) for value in values]
        if not values or not all(wanted):
            raise BadInput("Name somebody: a name, and the day of birth to tell namesakes apart.")
        key = self._key()
        while page := self.store.contents_without_index():
            self.store.add_to_index({item.digest: identifiers(item, self._kind(item), key) for item in page})
        found = self.store.contents_about([_hmac(key, value) for value in wanted])
        return [self._holding(policy, content) for content in found]

    def place_hold(self, kind: str, record_id: bytes, signer: Signer) -> Hold:
        """Let nothing of a record be erased, from now on. Orders to erase it that are not on their way to the chain are
        refused; one that is waits at the eraser. Raises NotFound, Refused (no registrar, held already), WalletError."""
        trusted = self._entitled(kind, signer)
        contents = self.store.contents_of(str(trusted.name), record_id)
        if not any(content.fields for content in contents):
            raise NotFound(f"This office holds nothing of record {to_hex(record_id)}.", "Check its number.")
        since = self.clock.now()
        signature = signer.sign_typed(typed(trusted, "PlaceHold", {"recordId": record_id, "since": since}))
        hold = Hold(str(trusted.name), record_id, since, signer.address, signature)
        self.store.place_hold(hold, partial(self.holds.keep, hold))
        self._refuse_orders(hold, [record_id, *(content.digest for content in contents)])
        return hold

    def lift_hold(self, kind: str, record_id: bytes, signer: Signer) -> Hold:
        """End the hold on a record. Raises NotFound, Refused, Conflict, WalletError."""
        trusted = self._entitled(kind, signer)
        standing = [hold for hold in self.store.holds(str(trusted.name), [record_id]) if hold.until is None]
        if not standing:
            raise NotFound(f"No hold stands on record {to_hex(record_id)}.", "Check its number.")
        for hold in standing:  # several, where one was restored that a crash had kept from being acknowledged
            until = self.clock.now()
            data = typed(trusted, "LiftHold", {"recordId": record_id, "since": hold.since, "until": until})
            lifted = replace(hold, until=until, lifted_by=signer.address, lifted=signer.sign_typed(data))
            self.store.lift_hold(lifted, partial(self.holds.keep, lifted))
        return lifted

    def _refuse_orders(self, hold: Hold, held: Sequence[bytes]) -> None:
        for trusted in (trusted for trusted in self.trust.registers if trusted.kind == "erasures"):
            subjects = ({"register": hold.register.lower(), "erased": to_hex(one)} for one in held)
            series = {to_hex(register_of_kind(trusted.kind).record_id(subject)) for subject in subjects}
            waiting = [*self.store.applications("submitted", OPEN), *self.store.applications("approved", OPEN)]
            for application in waiting:
                if application.register == str(trusted.name) and application.payload.get("series") in series:
                    self._refuse(application.id, application.state)

    def _refuse(self, application_id: str, state: ApplicationState) -> None:
        try:
            self.store.move(application_id, state, "refused", "a legal hold was placed")
        except Conflict:
            return  # approved or signed meanwhile: what is on its way waits at the eraser

    def _entitled(self, kind: str, signer: Signer) -> TrustedRegister:
        trusted = self.trust.register_of_kind(kind)
        if not self.holds.is_registrar(trusted, signer.address):
            raise Refused(f"{signer.address} is not a registrar of this register.", "Ask the authority for the role.")
        return trusted

    def _holding(self, policy: Policy, content: HeldContent) -> Holding:
        kind = self._kind(content)
        readers = {cid: sorted(self.store.document(cid).wraps) for cid in cids_of(content.fields)}
        on_hold = any(hold.until is None for hold in self.store.holds(content.register, [content.record_id]))
        return Holding(kind, content, readers, policy.until(kind, content.created), on_hold)

    def _kind(self, content: HeldContent) -> str:
        return self.trust.register_named(content.register).kind

    def _key(self) -> bytes:
        try:
            return read_private(self.index_key)
        except KeystoreMissing:
            # Made first: an index under a key that is nowhere would find nobody, and say that nothing is held.
            write_private(self.index_key, secrets.token_bytes(32))
            self.store.forget_index()
            return read_private(self.index_key)


def normalised(value: str) -> str:
    """A value of somebody as it is looked up: case, marks and spaces do not count; numbers have no separators."""
    text = unicodedata.normalize("NFKC", value).casefold()
    words = re.findall(r"\w+", text)
    return ("" if all(word.isdecimal() for word in words) else " ").join(words)


def identifiers(content: HeldContent, kind: str, key: bytes) -> list[bytes]:
    """The HMACs by which a content of this kind of register is found under the index's key."""
    names = register_of_kind(kind).schema.identifying
    values = {normalised(field["value"]) for field in content.fields if field["name"] in names}
    return [_hmac(key, value) for value in values if value]


def _hmac(key: bytes, value: str) -> bytes:
    return hmac.digest(key, value.encode(), "sha256")
