// Checks the file in the browser, so that it need not be sent, and reads QR codes with the camera. What is shown is cloned
// from the page's templates: no text and no markup is made here, and values are only ever set as text.

const $ = (selector, root = document) => root.querySelector(selector);
const strings = JSON.parse($("#strings").textContent);
const labels = new Map(strings.fields);
const { title } = document;
const lang = document.documentElement.lang;
const clone = (name) => $(`#t-${name}`).content.cloneNode(true);

// ---- values, as api/pages/view.py writes them

const number = (value) =>
  new Intl.NumberFormat(lang, { minimumFractionDigits: `${value}`.split(".")[1]?.length ?? 0 }).format(value);
const parts = (date, options) =>
  Object.fromEntries(new Intl.DateTimeFormat(lang, { timeZone: "UTC", ...options }).formatToParts(date).map((p) => [p.type, p.value]));

function day(iso) {
  if (!/^\d{4}-\d\d-\d\d$/.test(iso)) return iso;
  const at = parts(new Date(`${iso}T00:00:00Z`), { day: "numeric", month: "long", year: "numeric" });
  return `${at.day} ${at.month} ${at.year}`;
}

function moment(seconds) {
  const iso = new Date(seconds * 1000).toISOString();
  return `${day(iso.slice(0, 10))}, ${iso.slice(11, 19)} UTC`;
}

function age(seconds) {
  const units = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, length] = units.find(([, size]) => seconds >= size) ?? units.at(-1);
  const style = { style: "unit", unit, unitDisplay: "long" };
  return new Intl.NumberFormat(lang, style).format(Math.round(Math.max(seconds, 0) / length));
}

function fill(message, ...values) {
  return message.replace(/\{(\d)\}/g, (_, index) => values[index]);
}

function fieldValue(name, value) {
  if (typeof value === "object") return fill(strings.document, value.size, value.sha256);
  if (strings.coded.includes(name)) return strings.values[value] ?? day(value);
  if (strings.numbers.includes(name)) return number(value);
  return strings.dates.includes(name) ? day(value) : value;
}

function reasonInWords(reason) {
  for (const [pattern, message] of strings.reasons) {
    const match = reason.match(new RegExp(`^(?:${pattern})$`));
    if (match) return fill(message, ...match.slice(1));
  }
  return null;
}

// ---- the result

function axis(name, { state, reason }) {
  const part = clone(`axis-${name}-${state}`);
  const own = name === "status" ? reasonInWords(reason) : null;
  if (own) $("[data-text]", part).textContent = own;
  return part;
}

function check({ number: n, outcome, detail }) {
  const part = clone(`check-${n}-${outcome}`);
  $("[data-text]", part).textContent = detail;
  return part;
}

function row(name, value) {
  const part = clone("row");
  $("[data-label]", part).textContent = labels.get(name);
  $("[data-value]", part).textContent = fieldValue(name, value);
  return part;
}

function render(verdict, file) {
  const states = Object.values(verdict.axes).map((a) => a.state);
  const state = ["invalid", "unknown"].find((s) => states.includes(s)) ?? "valid";
  const refusal = ["failed", "unknown"].map((o) => verdict.checks.find((c) => c.outcome === o)).find(Boolean);
  const result = clone("result");
  const slot = (name) => $(`[data-slot=${name}]`, result);
  const absent = state === "valid" && verdict.subject === "absence";
  slot("headline").append(clone(absent ? "headline-valid-absence" : `headline-${state}`));
  const { block, time } = verdict.asOf;
  if (block !== null && time !== null) {
    const old = age(Math.floor(Date.now() / 1000) - time);
    slot("as-of").textContent = fill(strings.asOf, number(block), moment(time), old);
  }
  if (refusal) slot("advice").append(clone(`advice-${refusal.number}-${refusal.outcome}`));
  slot("axes").append(...["integrity", "status", "issuer"].map((name) => axis(name, verdict.axes[name])));
  if (state !== "invalid" && verdict.subject === "record") slot("caution").append(clone("caution"));
  slot("checks").append(...verdict.checks.map(check));
  showFields(result, slot, verdict.axes.integrity.state === "valid" ? file : {});
  slot("another").addEventListener("click", again);
  show(result);
}

function showFields(result, slot, file) {
  const values = file.content ? Object.fromEntries(file.content.fields.map((f) => [f.name, f.value])) : (file.subject ?? {});
  const names = [...labels.keys()].filter((name) => Object.hasOwn(values, name));
  slot("fields").append(...names.map((name) => row(name, values[name])));
  $("[data-part=fields]", result).hidden = names.length === 0;
  $("[data-part=withheld]", result).hidden = !(file.content?.size > file.content?.fields.length);
  const known = strings.records.includes(file.kind) && file.recordId;
  $("[data-part=newer]", result).hidden = !known;
  if (known) slot("record").href = `/${lang}/r/${file.kind}/${file.recordId}`;
}

function show(result) {
  $("#result").replaceChildren(result);
  $("#result").hidden = false;
  $("#ask").hidden = true;
  document.title = `${$("#result h1").textContent} – Khalayak`;
  $("#result h1").focus();
  window.scrollTo(0, 0);
}

function again(event) {
  event.preventDefault();
  document.title = title;
  $("#result").replaceChildren();
  $("#result").hidden = true;
  $("#ask").hidden = false;
  $("#file-form").reset();
  $("#certificate").focus();
}

// ---- the file

const bytesOf = async (file) => new Uint8Array(await file.arrayBuffer());

async function checkHere({ fileIn, verify, parseTrust }, certificate, compared) {
  const answer = await fetch("/v1/trust");
  if (!answer.ok) throw new Error(`the trust root: HTTP ${answer.status}`);
  const bytes = await bytesOf(certificate);
  const verdict = await verify(bytes, {
    trust: parseTrust(await bytesOf(answer)),
    document: compared ? await bytesOf(compared) : null,
  });
  const readable = verdict.axes.integrity.state === "valid";
  render(verdict, readable ? JSON.parse(new TextDecoder().decode(fileIn(bytes))) : {});
}

async function submit(verifier, event) {
  const [certificate, compared] = [$("#certificate"), $("#document")].map((input) => input.files[0]);
  if (!certificate) return; // the server's page says what is missing
  event.preventDefault();
  const working = $("#working");
  working.textContent = working.dataset.busy;
  try {
    await checkHere(verifier, certificate, compared);
    working.textContent = "";
  } catch (error) {
    console.error(error);
    working.textContent = working.dataset.failed;
  }
}

async function checkFilesHere() {
  const verifier = await import("./verify/khalayak-verify.js");
  $("#sent").hidden = true;
  $("#local").hidden = false;
  $("#file-form").addEventListener("submit", (event) => submit(verifier, event));
}

// ---- QR codes

function follow(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  const ours = url?.origin === location.origin && /^\/((id|en)\/)?(r\/[a-z]+\/0x[0-9a-f]{64}|v)$/.test(url.pathname);
  if (ours) location.assign(url);
  return ours;
}

async function scan() {
  const [video, start, stop, status] = ["video", "start", "stop", "status"].map((name) => $(`#scan-${name}`));
  status.textContent = "";
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    status.textContent = status.dataset.denied;
    return;
  }
  const running = (on) => [video.hidden, stop.hidden, start.hidden] = [!on, !on, on];
  running(true);
  let scanning = true;
  stop.addEventListener("click", () => (scanning = false), { once: true });
  video.srcObject = stream;
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (scanning) {
    const [code] = await detector.detect(video);
    if (code) {
      scanning = follow(code.rawValue) === false && scanning;
      status.textContent = scanning ? status.dataset.foreign : "";
    }
    await new Promise(requestAnimationFrame);
  }
  stream.getTracks().forEach((track) => track.stop());
  running(false);
}

if ("BarcodeDetector" in window && navigator.mediaDevices) {
  $("#scan").hidden = false;
  $("#scan-start").addEventListener("click", scan);
}

// ---- the address

function followFragment() {
  if (!/\/v$/.test(location.pathname) || location.hash.length < 2) return;
  const record = location.hash.match(/^#([a-z]+\/0x[0-9a-f]{64})$/);
  if (record) location.replace(`/${lang}/r/${record[1]}`);
  else $("#paper").hidden = false;
}

$(".error-summary")?.focus();
followFragment();
await checkFilesHere().catch(() => {}); // without the verifier, the form sends the file, as the page says
