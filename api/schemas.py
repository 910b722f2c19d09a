"""The shapes of the API's answers. What the core makes already has its own JSON form, so it is typed as an object."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ledger.model import ApplicationState


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Problem(BaseModel):
    """RFC 9457. `type` is urn:khalayak:problem:<code> and stable; `pointer` is a JSON pointer into the request."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None
    pointer: str | None = None


class Accepted(_Answer):
    """The answer to an application. A replay of the request gives the very same one, whatever has happened since."""

    id: str
    state: ApplicationState
    accessToken: str  # noqa: N815 - JSON names are camelCase
    recordIds: list[str]  # noqa: N815
    missing: list[str]
    typedData: str  # noqa: N815
    links: dict[str, str]


class GivenApproval(_Answer):
    signer: str
    role: str


class Status(_Answer):
    """Where an application stands. `accepted`: this office took it in and has not refused it. `final`: the chain cannot
    take the change back. Times are in seconds since 1970."""

    id: str
    action: str
    state: ApplicationState
    accepted: bool
    final: bool
    reason: str
    created: int
    deadline: int
    recordIds: list[str]  # noqa: N815
    approvals: list[GivenApproval]
    missing: list[str]
    transaction: str | None
    block: int | None
    links: dict[str, str]


class SealedDocument(_Answer):
    """A sealed document: `sha256` and `size` are those of what was sealed; `wraps` its key for each reader (HPKE)."""

    cid: str
    sha256: str
    size: int
    mediaType: str  # noqa: N815
    wraps: dict[str, str]


class FieldAnswer(_Answer):
    """A field of a register's content. `mandatory` may not be withheld, `optional` may be missing."""

    name: str
    mandatory: bool
    optional: bool


class ActionAnswer(_Answer):
    """What to apply with. `subjects` and `records`: the least and the most of them; `holders`: each record names its
    holder; `details`: the further strings."""

    name: str
    summary: str
    subjects: list[int]
    records: list[int]
    holders: bool
    details: list[str]


class RegisterAnswer(_Answer):
    """`document`: whether a PDF belongs to each record; `subject`: the fields that a record's id is made of."""

    register_name: str = Field(alias="register")
    kind: str
    authority: str
    schema_id: str = Field(alias="schema")
    document: bool
    subject: list[str]
    fields: list[FieldAnswer]
    actions: list[ActionAnswer]


class RecordedEntryAnswer(_Answer):
    """One entry. `entry` is as the chain recorded it (docs/protocol.md section 1)."""

    action: str
    status: str
    head: str
    entry: dict[str, Any]
    approvers: list[str]
    transaction: str
    block: int


class RecordAnswer(_Answer):
    """A record's newest entry as of a block: the last one that this office has followed."""

    # Under its plain name it would hide a method that pydantic's models have.
    register_name: str = Field(alias="register")
    recordId: str  # noqa: N815
    asOfBlock: int  # noqa: N815
    newest: RecordedEntryAnswer
    links: dict[str, str]


class LoggedEntryAnswer(RecordedEntryAnswer):
    recordId: str  # noqa: N815


class EntriesAnswer(_Answer):
    """Entries of many records, in the order of the log. When `has_more`, `links.next` goes on."""

    asOfBlock: int  # noqa: N815
    entries: list[LoggedEntryAnswer]
    has_more: bool
    links: dict[str, str]


class HistoryAnswer(_Answer):
    """Entries oldest first. When `has_more`, `links.next` goes on."""

    recordId: str  # noqa: N815
    asOfBlock: int  # noqa: N815
    entries: list[RecordedEntryAnswer]
    has_more: bool
    links: dict[str, str]


class VerdictAnswer(_Answer):
    """What the verifier found: three axes, each valid, invalid or unknown, and the numbered checks behind them."""

    subject: str
    valid: bool
    axes: dict[str, dict[str, str]]
    checks: list[dict[str, Any]]
    asOf: dict[str, int | None]  # noqa: N815
    trustRoot: str  # noqa: N815


class Health(_Answer):
    status: str
    parts: dict[str, str] = {}
