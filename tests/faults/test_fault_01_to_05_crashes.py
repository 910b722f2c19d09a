"""FAULTS rows 1 to 5: the real process is killed, or an answer is lost, around a send: one record, the same bytes."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from ledger.adapters.evm_chain import EvmChain
from ledger.bootstrap import open_office
from ledger.settings import Settings
from tests.faults.proxy import Lost, proxied
from tests.publishing import Desk


def kill_at(desk: Desk, call: str, when: str) -> None:
    """Run one step of the office in a process of its own, which kills itself before or after a call of a port."""
    child = os.fork()
    if not child:
        try:
            publish(desk.office.settings, call, when)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def test_fault_01_killed_before_sending_it_sends_the_same_bytes(desk: Desk) -> None:
    application = desk.approved()
    kill_at(desk, "chain.send", "before")
    (signed,) = desk.attempts(application)
    assert (signed.state, desk.recorded(application)) == ("signed", 0)
    assert desk.settle(application) == ["certified"]
    assert [attempt.raw for attempt in desk.attempts(application)] == [signed.raw]
    assert desk.recorded(application) == 1


def test_fault_02_killed_after_sending_it_finds_what_it_sent_by_its_hash(desk: Desk) -> None:
    application = desk.approved()
    kill_at(desk, "chain.send", "after")
    (signed,) = desk.attempts(application)
    assert (signed.state, desk.recorded(application)) == ("signed", 1)
    assert desk.settle(application) == ["certified"]
    assert [attempt.hash for attempt in desk.attempts(application)] == [signed.hash]
    assert desk.recorded(application) == 1


def test_fault_03_killed_between_receipt_and_status_the_final_row_is_the_same(desk: Desk) -> None:
    application, other = desk.approved(), desk.approved()
    kill_at(desk, "chain.receipt", "after")
    assert (desk.state(application), desk.state(other)) == ("sent", "sent")
    assert desk.settle(application, other) == ["certified"] * 2
    transaction = desk.transaction(application)
    receipt = desk.office.chain.receipt(transaction.hash)
    assert receipt and transaction.state == "final"
    assert (transaction.leading.block_number, transaction.leading.block_hash) == (
        receipt.block_number,
        receipt.block_hash,
    )
    assert transaction == desk.transaction(other)


@pytest.mark.parametrize("when", ["before", "after"])
def test_fault_04_killed_while_a_bundle_is_sealed_there_is_none_or_the_same(desk: Desk, when: str) -> None:
    applications = [desk.approved() for _ in range(3)]
    kill_at(desk, "store.add_transaction", when)
    assert {desk.state(item) for item in applications} == ({"approved"} if when == "before" else {"signed"})
    assert desk.settle(*applications) == ["certified"] * 3
    assert [desk.transaction(item) for item in applications] == [desk.transaction(applications[0])] * 3
    assert desk.transaction(applications[0]).applications == tuple(item.id for item in applications)
    places = [desk.office.store.history(str(desk.trusted().name), record(item))[0].log_index for item in applications]
    assert places == sorted(places)


def test_fault_04_killed_within_the_signature_nothing_is_kept(desk: Desk) -> None:
    application = desk.approved()
    kill_at(desk, "signer.sign_transaction", "after")
    assert (desk.state(application), desk.office.store.highest_nonce(desk.relayer.address)) == ("approved", None)
    assert desk.settle(application) == ["certified"]


def test_fault_05_a_lost_answer_to_a_send_takes_no_new_nonce(desk: Desk) -> None:
    application, sent = desk.approved(), []

    def answer(request: dict[str, Any], forward: Any) -> Any:
        reply = forward()
        if request["method"] == "eth_sendRawTransaction":
            sent.append(request["params"][0])
            raise Lost
        return reply

    with proxied(desk.office.settings.rpc_url, answer) as proxy:
        desk.publisher.chain = EvmChain(proxy.url)
        with pytest.raises(Exception, match="does not answer"):
            desk.publisher.run_once()
        assert desk.state(application) == "signed"
        assert desk.settle(application) == ["certified"]
    assert sent == ["0x" + desk.transaction(application).newest.raw.hex()]
    assert (desk.transaction(application).nonce, desk.office.chain.next_nonce(desk.relayer.address)) == (0, 1)


def record(application: Any) -> bytes:
    return bytes.fromhex(application.payload["records"][0]["recordId"][2:])


class Deadly:
    """A part whose named call kills the process."""

    def __init__(self, real: Any, name: str, when: str) -> None:
        self._real, self._name, self._when = real, name, when

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._real, name)
        if name != self._name:
            return attribute

        def call(*arguments: Any) -> None:
            if self._when == "after":
                attribute(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        return call


def publish(settings: Settings, call: str, when: str) -> None:
    publisher = open_office(settings).publisher
    assert publisher is not None
    part, _, name = call.partition(".")
    if part == "signer":
        publisher.relayers = {address: Deadly(it, name, when) for address, it in publisher.relayers.items()}  # type: ignore[misc]
    else:
        setattr(publisher, part, Deadly(getattr(publisher, part), name, when))
    publisher.run_once()
