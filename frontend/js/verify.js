// Checks the QR code of a prescription in the page: RFC 7515 with Ed25519, by WebCrypto. The public
// keys are kept on the device, so that it works without a network; nothing scanned is ever sent.

const KEPT = "prescription-keys";
const box = /** @type {HTMLElement} */ (document.getElementById("verifier"));
const scanned = /** @type {HTMLTextAreaElement} */ (document.getElementById("scanned"));
const verdict = /** @type {HTMLElement} */ (document.getElementById("verdict"));
const words = /** @type {Record<string, string>} */ (/** @type {unknown} */ (box.dataset));

/** @returns {Promise<{kid: string, x: string}[] | null>} */
async function publishedKeys() {
  try {
    const answer = await fetch(words.keys);
    if (answer.ok) localStorage.setItem(KEPT, await answer.text());
  } catch {
    // Without a network, those kept last time serve.
  }
  const kept = localStorage.getItem(KEPT);
  return kept ? JSON.parse(kept).keys : null;
}

/** @param {string} part */
function bytes(part) {
  const plain = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** @param {string} part */
const json = (part) => JSON.parse(new TextDecoder().decode(bytes(part)));

/**
 * @param {RegExpMatchArray} token
 * @param {{kid: string, x: string}[]} keys
 * @returns {Promise<Record<string, string | string[]> | null>}
 */
async function signed([, header, payload, signature], keys) {
  try {
    const { alg, kid } = json(header);
    const key = keys.find((one) => one.kid === kid);
    if (!key || !["Ed25519", "EdDSA"].includes(alg)) return null;
    const imported = await crypto.subtle.importKey("raw", bytes(key.x), "Ed25519", false, ["verify"]);
    const said = new TextEncoder().encode(`${header}.${payload}`);
    const genuine = await crypto.subtle.verify("Ed25519", imported, bytes(signature), said);
    return genuine ? json(payload) : null;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") throw error;
    return null;
  }
}

/**
 * @param {string} text
 * @param {Record<string, string | string[]>} [statement]
 */
function say(text, statement = {}) {
  const list = document.createElement("dl");
  for (const [name, value] of Object.entries(statement)) {
    if (name === "digest") continue;
    const term = document.createElement("dt");
    term.textContent = words[name] ?? name;
    const meaning = document.createElement("dd");
    meaning.textContent = Array.isArray(value) ? value.join("; ") : value;
    list.append(term, meaning);
  }
  const line = document.createElement("p");
  line.className = "govuk-body";
  const said = document.createElement("strong");
  said.textContent = text;
  line.append(said);
  verdict.replaceChildren(line, ...(list.children.length ? [list] : []));
}

const keys = publishedKeys();
box.hidden = false;
document.getElementById("check")?.addEventListener("click", async () => {
  const token = scanned.value.trim().match(/([\w-]+)\.([\w-]+)\.([\w-]+)$/);
  const known = await keys;
  if (!token) return say(words.nothing);
  if (!known) return say(words.noKeys);
  try {
    const statement = await signed(token, known);
    say(statement ? words.genuine : words.forged, statement ?? {});
  } catch {
    say(words.tooOld);
  }
});
