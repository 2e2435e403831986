// What a shared tablet keeps until it is sent: in IndexedDB, sealed. Anybody at the tablet can put
// something in; only who entered it can read it, with the key that the service gives to this person.
// Each owner has a pair of keys: the public one seals, the private one is itself encrypted.

/** @typedef {{field: string, name: string, type: string, base64: string}} Kept a file */
/** @typedef {{action: string, title: string, values: [string, string][], files: Kept[], html: string}} Content */
/** @typedef {{from: ArrayBuffer, iv: Uint8Array<ArrayBuffer>, text: ArrayBuffer}} Sealed */
/** @typedef {{id: string, owner: string, at: number, state: "waiting" | "refused" | "unfinished", said: string, sealed?: Sealed}} Entry */
/** @typedef {{owner: string, lock: ArrayBuffer, iv: Uint8Array<ArrayBuffer>, secret: ArrayBuffer}} Owner */

export const OWNER = "tablet-owner";
export const KEY = "tablet-key";
export const PAGES = "tablet";
const DAY = 24 * 3_600_000;
const LONGEST = 7 * DAY;
// Nothing was entered before. A tablet without a battery for its clock begins years ago.
const BEGAN = Date.UTC(2026, 0, 1);
const CURVE = { name: "ECDH", namedCurve: "P-256" };
const CIPHER = { name: "AES-GCM", length: 256 };

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("tablet", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("entries", { keyPath: "id" });
      request.result.createObjectStore("owners", { keyPath: "owner" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/**
 * @template T
 * @param {"entries" | "owners"} name @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T>}
 */
async function within(name, mode, act) {
  const transaction = (await database()).transaction(name, mode);
  return new Promise((resolve, reject) => {
    const request = act(transaction.objectStore(name));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);

export function random() {
  const drawn = crypto.getRandomValues(new Uint8Array(16));
  return [...drawn].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/** @param {string} field @param {string} name @param {Blob} file @returns {Promise<Kept>} */
export async function packed(field, name, file) {
  const reader = new FileReader();
  await new Promise((resolve, reject) => {
    reader.onload = resolve;
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  const base64 = String(reader.result).split(",", 2)[1] ?? "";
  return { field, name, type: file.type, base64 };
}

/** @param {Kept} kept */
export const unpacked = (kept) =>
  new File([unbase64(kept.base64)], kept.name, { type: kept.type });

const unbase64 = (/** @type {string} */ text) =>
  Uint8Array.from(atob(text), (one) => one.charCodeAt(0));

/** Learns who is signed in. @param {string} owner @param {string} given the key, in base64 */
export async function enter(owner, given) {
  const known = await within("owners", "readonly", (store) => store.get(owner));
  if (!known) {
    const pair = await crypto.subtle.generateKey(CURVE, true, ["deriveKey"]);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const secret = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv },
      await unlocking(given),
      await crypto.subtle.exportKey("pkcs8", pair.privateKey),
    );
    const lock = await crypto.subtle.exportKey("raw", pair.publicKey);
    // Another tab may have been quicker: its keys stay, or what it sealed could not be read.
    await within("owners", "readwrite", (store) => store.add({ owner, lock, iv, secret })).catch(
      () => {},
    );
  }
  localStorage.setItem(OWNER, owner);
  sessionStorage.setItem(KEY, given);
}

/** @param {string} given */
const unlocking = (given) =>
  crypto.subtle.importKey(
    "raw",
    unbase64(given),
    "AES-GCM",
    false,
    ["encrypt", "decrypt"],
  );

export const owner = () => localStorage.getItem(OWNER) ?? "";

/** @returns {Promise<Owner>} */
async function present() {
  const found = await within("owners", "readonly", (store) => store.get(owner()));
  if (!found) throw new Error("nobody has signed in on this tablet");
  return found;
}

/** @param {string} id @param {Content} content @param {Entry["state"]} state */
export async function put(id, content, state) {
  const { lock } = await present();
  const pair = await crypto.subtle.generateKey(CURVE, false, ["deriveKey"]);
  const to = await crypto.subtle.importKey("raw", lock, CURVE, false, []);
  const key = await crypto.subtle.deriveKey(
    { name: "ECDH", public: to },
    pair.privateKey,
    CIPHER,
    false,
    ["encrypt"],
  );
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: bytes(id) },
    key,
    bytes(JSON.stringify(content)),
  );
  const sealed = { from: await crypto.subtle.exportKey("raw", pair.publicKey), iv, text };
  const earlier = await within("entries", "readonly", (store) => store.get(id));
  await change({ id, owner: owner(), at: earlier?.at ?? Date.now(), state, said: "", sealed });
}

/** Opens an entry; fails without the key of who entered it. @param {Entry} entry @returns {Promise<Content>} */
export async function read(entry) {
  const { iv, secret } = await present();
  const given = sessionStorage.getItem(KEY);
  if (!given || !entry.sealed) throw new Error("locked");
  const own = await crypto.subtle.importKey(
    "pkcs8",
    await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await unlocking(given), secret),
    CURVE,
    false,
    ["deriveKey"],
  );
  const { sealed } = entry;
  const from = await crypto.subtle.importKey("raw", sealed.from, CURVE, false, []);
  const key = await crypto.subtle.deriveKey({ name: "ECDH", public: from }, own, CIPHER, false, [
    "decrypt",
  ]);
  const text = await crypto.subtle.decrypt(
    { name: "AES-GCM", iv: sealed.iv, additionalData: bytes(entry.id) },
    key,
    sealed.text,
  );
  // What an earlier release kept has no files.
  return { files: [], ...JSON.parse(new TextDecoder().decode(text)) };
}

/** @param {Entry} entry */
export const change = (entry) => within("entries", "readwrite", (store) => store.put(entry));

/**
 * Puts `next` in the place of an entry that was sent, or removes it; not if it was corrected or
 * withdrawn meanwhile. Says whether it did. @param {Entry} entry @param {Entry} [next]
 */
export async function settle(entry, next) {
  const transaction = (await database()).transaction("entries", "readwrite");
  const store = transaction.objectStore("entries");
  const request = store.get(entry.id);
  let settled = false;
  request.onsuccess = () => {
    const { sealed } = /** @type {Partial<Entry>} */ (request.result ?? {});
    // Each sealing has an iv of its own.
    settled = sealed !== undefined && String(sealed.iv) === String(entry.sealed?.iv);
    if (!settled) return;
    if (next) store.put(next);
    else store.delete(entry.id);
  };
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  return settled;
}

/** @param {string} id */
export const remove = (id) => within("entries", "readwrite", (store) => store.delete(id));

/** @returns {Promise<Entry[]>} */
const all = () => within("entries", "readonly", (store) => store.getAll());

/** What this person has kept, the oldest first. */
export async function own() {
  const now = owner();
  return (await all())
    .filter((entry) => entry.owner === now && entry.sealed)
    .sort((one, other) => one.at - other.at);
}

/** Removes what is too old; of others a row without content stays, so that they are told.
 * @returns {Promise<number>} how many of this person's went */
export async function removeOld() {
  await setRight();
  const old = (await all()).filter((entry) => Date.now() - entry.at > LONGEST);
  const mine = old.filter((entry) => entry.owner === owner());
  for (const entry of mine) await remove(entry.id);
  for (const entry of old) {
    if (entry.sealed && !mine.includes(entry)) await change({ ...entry, sealed: undefined });
  }
  return mine.length;
}

/** What was entered by a clock that was years behind is no week old: it counts as days old, in its order. */
async function setRight() {
  const now = Date.now();
  if (now < BEGAN) return;
  const wrong = (await all()).filter((entry) => entry.at < BEGAN);
  wrong.sort((one, other) => one.at - other.at);
  for (const [index, entry] of wrong.entries()) {
    await change({ ...entry, at: now - 2 * DAY + index });
  }
}

/** Forgets this person on this tablet. */
export async function leave() {
  for (const entry of await own()) await remove(entry.id);
  for (const key of Object.keys(localStorage)) {
    // The drafts of draft.js, by address.
    if (key.startsWith("/")) localStorage.removeItem(key);
  }
  localStorage.removeItem(OWNER);
  sessionStorage.clear();
  await caches.delete(PAGES);
  for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
}
