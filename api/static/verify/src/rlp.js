/** Strict RLP (Yellow Paper appendix B): bytes become Uint8Arrays, lists arrays. */

import { toNumber } from "./encoding.js";
import { InvalidProof } from "./errors.js";

export const isBytes = (item) => item instanceof Uint8Array;

/** The one item that `data` encodes. `what` names it in the error. Throws InvalidProof. */
export function decodeRlp(data, what) {
  try {
    const [item, end] = read(data, 0, data.length);
    check(end === data.length);
    return item;
  } catch {
    throw new InvalidProof(`${what} is not valid RLP.`);
  }
}

function check(holds) {
  if (!holds) throw new RangeError("not RLP");
}

/** The item at `start`, which ends before `limit`, and where it ends. */
function read(data, start, limit) {
  const first = data[start];
  if (first < 0x80) return [data.subarray(start, start + 1), start + 1];
  const [begin, end] = payload(data, start, limit);
  if (first < 0xc0) {
    check(!(first === 0x81 && data[begin] < 0x80));
    return [data.subarray(begin, end), end];
  }
  const items = [];
  for (let at = begin; at < end; ) {
    const [item, next] = read(data, at, end);
    items.push(item);
    at = next;
  }
  return [items, end];
}

function payload(data, start, limit) {
  const short = data[start] & 0x3f;
  if (short < 56) return within(start + 1, short, limit);
  const begin = start + 1 + short - 55;
  check(begin <= limit && data[start + 1] !== 0);
  const size = Number(toNumber(data.subarray(start + 1, begin)));
  check(size >= 56);
  return within(begin, size, limit);
}

function within(begin, size, limit) {
  check(begin + size <= limit);
  return [begin, begin + size];
}
