/** The rules of each kind of register: what ledger/registers/ says beside the data in definitions.js. A record id takes
    the subject's values (a Map); `disagreement` says where content contradicts the entry, or null; `status` is the
    state of the status axis at a block time in seconds, and the reason. */

import { DEFINITIONS } from "./definitions.js";
import { equal, fromHex, keccak256, utf8 } from "./encoding.js";
import { BadInput } from "./errors.js";
import { leafEvidence, noEvidence, titleEvidence } from "./evidence.js";
import { endOfDay } from "./schema.js";
import { quoted, start } from "./text.js";

const ASSIGNMENT_WINDOW = 30n * 86400n;

const land = {
  recordId: (values) => keccak256(utf8(`land/${values.get("nib").replaceAll(".", "")}`)),
  parseEvidence: titleEvidence,

  disagreement(values, recordId, entry) {
    if (values.has("nib") && !equal(land.recordId(values), recordId)) {
      return "the parcel number is not the one this record is about";
    }
    if (values.has("area") && BigInt(values.get("area").replace(".", "")) !== entry.area) {
      return "the area is not the one in the entry";
    }
    return null;
  },

  status(values, entry, time, definition) {
    if (definition.statuses[entry.status] !== "active") return ["invalid", notActive(entry, definition)];
    const validity = values.get("validity");
    if (validity === undefined) return ["unknown", "the validity of the right is not disclosed"];
    if (validity !== "unlimited" && time >= endOfDay(validity)) return ["invalid", `the right ended on ${validity}`];
    return ["valid", `active, ${entry.liens === 0n ? "no lien" : `${entry.liens} lien(s)`}`];
  },
};

function notActive(entry, { statuses, actions }) {
  const [status, action] = [statuses[entry.status], actions[entry.action]];
  if (status === "frozen") return "frozen by a court: the title does not move";
  if (status === "pending" && action === "transfer") {
    const wait = "when the register's cooling-off window is over, unless the holder before objects";
    return `pending: the title passes to the holder named ${wait}`;
  }
  if (status === "pending") {
    const end = new Date(Number(entry.time + ASSIGNMENT_WINDOW) * 1000).toISOString().slice(0, 16).replace("T", " ");
    return `pending: a court assigns the title to the holder named; not before ${end} UTC`;
  }
  if (status === "retired") {
    const ends = { split: "the parcel was split", merge: "the parcel was merged with others" };
    return `retired for ever: ${ends[action] ?? "the title has ended"}`;
  }
  return "the title is not active";
}

const identity = {
  recordId: (values) => fromHex(values.get("recordId"), 32, "/fields/recordId"),
  parseEvidence: noEvidence,

  disagreement(values, recordId, entry) {
    if (values.has("recordId") && !equal(identity.recordId(values), recordId)) {
      return "the record id is not that of this record";
    }
    if (values.has("validity") && BigInt(endOfDay(values.get("validity"))) !== entry.validUntil) {
      return "the validity is not the one in the entry";
    }
    return null;
  },

  status(values, entry, time, { statuses }) {
    const status = statuses[entry.status];
    if (["suspended", "revoked"].includes(status)) return ["invalid", `the identity is ${status}`];
    if (BigInt(time) >= entry.validUntil) return ["invalid", "the identity has expired"];
    if (status === "recovering") return ["unknown", "another controller is proposed and not confirmed yet"];
    return status === "active" ? ["valid", "active"] : ["invalid", "the identity is not active"];
  },
};

const batch = ({ kind, subjectFields, entry: members }) => {
  const recordId = (values) => keccak256(utf8([kind, ...subjectFields.map((name) => values.get(name))].join("/")));
  return {
    recordId,
    parseEvidence: leafEvidence(members),

    disagreement(values, series) {
      if (subjectFields.every((name) => values.has(name)) && !equal(recordId(values), series)) {
        return `the ${subjectFields.join(" or the ")} is not the one of this series`;
      }
      return null;
    },

    status(values, entry, time, { statuses }) {
      const status = statuses[entry.status];
      if (status === "active") return ["valid", `recorded in batch ${entry.sequence}, never corrected`];
      if (status !== "amended") return ["invalid", "the record was declared void"];
      return ["valid", `recorded, and corrected ${entry.sequence} time(s): this is the newest content`];
    },
  };
};

const transactions = (definition) => {
  const plain = batch(definition);
  return {
    ...plain,
    disagreement(values, series) {
      const problem = plain.disagreement(values, series);
      if (problem || !values.has("date") || !values.has("period")) return problem;
      return values.get("date").startsWith(values.get("period")) ? null : "the date is not in the month of this series";
    },
  };
};

const RULES = { land: () => land, identity: () => identity, transactions };

const REGISTERS = new Map(DEFINITIONS.map((definition) => {
  const rules = (RULES[definition.kind] ?? batch)(definition);
  return [definition.kind, { ...definition, ...rules }];
}));

/** The definition and the rules of a kind of register. Throws BadInput. */
export function registerOfKind(kind) {
  const register = REGISTERS.get(kind);
  if (register) return register;
  const known = [...REGISTERS.keys()].join(", ");
  throw new BadInput(`${quoted(start(kind, 40))} is not a kind of register.`, `Known: ${known}.`);
}
