// Reads a JSON list of cases from standard input, verifies each with the bundle, writes the list of answers.
import { text } from "node:stream/consumers";
import { BadInput, parseTrust, verify } from "../../api/static/verify/khalayak-verify.js";

const bytes = (encoded) => (encoded === null ? null : Uint8Array.from(Buffer.from(encoded, "base64")));

async function answer({ file, trust, document, blockHashes, asOf }) {
  try {
    const root = trust === null ? null : parseTrust(bytes(trust));
    return await verify(bytes(file), { trust: root, document: bytes(document), blockHashes, asOf });
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return { badInput: error.text };
  }
}

const answers = [];
for (const item of JSON.parse(await text(process.stdin))) answers.push(await answer(item));
process.stdout.write(JSON.stringify(answers));
