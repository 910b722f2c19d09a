"""JSON-RPC requests, alone or together. Past web3, which takes a second to load and longer to read the logs of a
thousand blocks than all that is done with them takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import requests
from urllib3.exceptions import HTTPError

from ledger.errors import RangeRefused

MAX_ANSWER = 256 << 20  # bytes
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class JsonRpc:
    """One node. `timeout` is in seconds: to connect, and between two parts of an answer."""

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._session = requests.Session()
        # Read once: to look through the environment for proxies takes longer than to ask a node that is near.
        from_environment = self._session.merge_environment_settings(url, {}, True, None, None)
        self._options = {**from_environment, "timeout": timeout, "allow_redirects": False}
        self._session.trust_env = False

    def ask(self, asked: Sequence[tuple[str, list[Any]]]) -> list[Mapping[str, Any]]:
        """The answers, each with `result` or `error`, in the order of the requests (method, parameters); one request
        goes without a batch. Raises OSError (which requests' own errors are), ValueError for what is no answer,
        RangeRefused for one of too many bytes."""
        body = [{"jsonrpc": "2.0", "id": i, "method": m, "params": p} for i, (m, p) in enumerate(asked)]
        found = self._post(body[0] if len(body) == 1 else body)
        if isinstance(found, dict) and isinstance(found.get("error"), dict):
            return [found] * len(asked)  # of several, it has looked at none
        if len(asked) == 1:
            found = [found]
        by_id = {answer["id"]: answer for answer in found if _is_answer(answer)} if isinstance(found, list) else {}
        if by_id.keys() != set(range(len(asked))):
            raise ValueError("not an answer to each request")
        return [by_id[i] for i in range(len(asked))]

    def _post(self, body: object) -> Any:
        with self._session.post(self._url, orjson.dumps(body), headers=_HEADERS, **self._options) as response:
            if response.status_code != 200:
                raise requests.HTTPError(response=response)
            return orjson.loads(_content(response))


def _content(response: requests.Response) -> bytes:
    try:
        content: bytes = response.raw.read(MAX_ANSWER + 1)
    except HTTPError as error:
        raise requests.ConnectionError(type(error).__name__) from None
    if len(content) > MAX_ANSWER:
        raise RangeRefused(f"The node's answer has more than {MAX_ANSWER:,} bytes.")
    return content


def _is_answer(answer: object) -> bool:
    if not isinstance(answer, dict) or type(answer.get("id")) is not int:
        return False
    return "result" in answer or isinstance(answer.get("error"), dict)
