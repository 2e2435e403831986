// A spoke's tablet without a link: what is sent is kept first, and sent until an answer is heard.
// The server treats the key of an entry as one, however often it hears it. docs/tablet.md says how.
//
// <div data-outbox-strip>            how many wait, and when the service last answered; its
//                                    attributes hold addresses and words
// <form data-outbox>                 is kept and sent; data-outbox-early: also before it is sent
//                                    data-outbox-anew: sent again it is said again, no correction
// <form data-outbox-now>             makes no sense later: says that there is no link
// <form class="by-itself">           is sent as soon as its file is chosen
// <div data-outbox-list>             what waits, to look at, correct and withdraw
import {
  KEY,
  PAGES,
  change,
  enter,
  own,
  owner,
  packed,
  put,
  random,
  read,
  remove,
  removeOld,
  settle,
  unpacked,
} from "./parts/box.js";
import { fill } from "./parts/fill.js";
import { madeSmall } from "./parts/picture.js";

/** @typedef {import("./parts/box.js").Entry} Entry */
/** @typedef {import("./parts/box.js").Content} Content */
/** @typedef {{state: "taken" | "elsewhere" | "refused", to: string, page?: string}} Outcome */

const TIMEOUT = 30_000;
const LEAST = 5_000;
const MOST = 300_000;
const EARLY = 1_500;
// Between two tries to get the page that did not come.
const TRY = 1_000;
// The entry whose refusal the server shows on the page that comes next.
const SHOWN = "tablet-shown";
// When the service last answered, on whichever page of the tablet.
const HEARD = "tablet-heard";
const MINUTE = 60_000;

const strip = /** @type {HTMLElement} */ (document.querySelector("[data-outbox-strip]"));
const words = strip.dataset;
const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-outbox-list]"));
const visitPage = location.pathname === words.visit;
/** This page stands in for one that did not come, and nobody has begun anything on it. */
let standsIn = list !== null && location.pathname !== words.kept;

let pause = LEAST;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let signedOut = false;
/** The last question got no answer. */
let away = navigator.onLine === false;
let heardAt = Number(localStorage.getItem(HEARD));
let removed = 0;
/** Something waits for the link, or the link is gone: the strip says how long already. */
let untold = false;
/** The refused entry that this page corrects. */
let corrected = "";

if ("serviceWorker" in navigator && window.indexedDB && window.crypto?.subtle) begin();

if (document.querySelector("form.by-itself[data-outbox]")) {
  document.body.classList.add("sends-papers");
  document.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !target.files?.length) return;
    const form = /** @type {HTMLFormElement | null} */ (target.closest("form.by-itself"));
    form?.requestSubmit(form.querySelector("button"));
  });
}

async function begin() {
  // The two pages that are kept come without the service.
  if (!list && !visitPage) heard(performance.timeOrigin);
  navigator.serviceWorker.register(words.worker ?? "", { scope: "/" }).catch(() => {});
  document.addEventListener("submit", submitted);
  const known = sessionStorage.getItem(KEY) && owner();
  // The two pages that are kept for later do not know who reads them.
  const stale = list || visitPage || words.owner !== owner();
  try {
    if (!known || stale) await arrive();
  } catch {
    // No link. What can be read with the key at hand is shown.
  }
  removed = await removeOld();
  noteCorrected();
  for (const form of forms()) prepare(form);
  await send();
  keepPages();
  addEventListener("online", again);
  addEventListener("offline", () => {
    away = true;
    show();
  });
  document.addEventListener("live:contact", (event) => {
    const was = away;
    if (/** @type {CustomEvent<boolean>} */ (event).detail) heard(Date.now());
    else away = true;
    if (away !== was) show();
  });
  setInterval(tellContact, MINUTE / 4);
  addEventListener("pageshow", (event) => event.persisted && again());
  document.addEventListener("visibilitychange", () => document.hidden || again());
}

/** @param {number} at */
function heard(at) {
  away = false;
  // As often as it can be read.
  if (Math.abs(at - heardAt) < MINUTE / 4) return;
  heardAt = at;
  localStorage.setItem(HEARD, String(at));
}

const forms = () =>
  /** @type {NodeListOf<HTMLFormElement>} */ (document.querySelectorAll("form[data-outbox]"));

function again() {
  pause = LEAST;
  send();
}

/** @param {HTMLFormElement} form */
const addressOf = (form) => form.getAttribute("action") || location.pathname;

/** @param {string} address @param {RequestInit} options */
async function ask(address, options = {}) {
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(), TIMEOUT);
  try {
    const answer = await fetch(address, {
      ...options,
      headers: { Accept: "application/json", ...options.headers },
      cache: "no-store",
      redirect: "manual",
      signal: abort.signal,
    });
    // A sign-in page of the network's own, or a service in trouble: as good as no link.
    const ours = answer.headers.has("X-Request-ID");
    if (!ours || answer.status >= 500 || answer.status === 429) throw new Error("no service");
    heard(Date.now());
    return answer;
  } catch (error) {
    away = true;
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Asks who is signed in; returns the token to send with, nothing when nobody is. Fails without a link. */
async function arrive() {
  const answer = await ask(words.tablet ?? "");
  signedOut = answer.status !== 200;
  if (signedOut) {
    sessionStorage.removeItem(KEY);
    return "";
  }
  const given = await answer.json();
  await enter(given.owner, given.key);
  return /** @type {string} */ (given.token);
}

// Keeping -------------------------------------------------------------------------------------------

/** @param {HTMLFormElement} form @param {Entry["state"]} state @param {HTMLElement | null} [submitter] */
async function keep(form, state, submitter) {
  form.dataset.entry ??= random();
  const key = form.elements.namedItem("key");
  // The empty page was kept with a key in it: each visit needs its own.
  if (key instanceof HTMLInputElement && form.dataset.outboxEarly != null) {
    key.value = form.dataset.entry;
  }
  const entered = form.elements.namedItem("entered_at");
  if (entered instanceof HTMLInputElement && !entered.value) {
    entered.value = new Date().toISOString();
  }
  /** @type {[string, string][]} */
  const values = [];
  const files = await keptWith(form);
  for (const [name, value] of new FormData(form)) {
    if (name === "csrfmiddlewaretoken") continue;
    if (typeof value === "string") values.push([name, value]);
    else if (value.size) files.set(name, await packed(name, value.name, await madeSmall(value)));
  }
  if (submitter instanceof HTMLButtonElement && submitter.name) {
    values.push([submitter.name, submitter.value]);
  }
  const copy = /** @type {HTMLFormElement} */ (form.cloneNode(true));
  copy.querySelector("[name=csrfmiddlewaretoken]")?.remove();
  copy.setAttribute("action", addressOf(form));
  const heading = form.dataset.title ?? document.querySelector("h1")?.textContent ?? "";
  const name = values.find(([field]) => field === "name")?.[1];
  copy.dataset.title = heading;
  delete copy.dataset.sending;
  /** @type {Content} */
  const content = {
    action: addressOf(form),
    title: name ? `${heading}: ${name}` : heading,
    values,
    files: [...files.values()],
    html: copy.outerHTML,
  };
  await put(form.dataset.entry, content, state);
  // Sealed now: the readable copy goes.
  if (state === "waiting" && form.dataset.draft) localStorage.removeItem(form.dataset.draft);
  return form.dataset.entry;
}

/** A file that was chosen before stays until another is chosen. @param {HTMLFormElement} form */
async function keptWith(form) {
  /** @type {Map<string, import("./parts/box.js").Kept>} */
  const files = new Map();
  const entry = (await own()).find((one) => one.id === form.dataset.entry);
  for (const file of entry ? (await read(entry)).files : []) files.set(file.field, file);
  return files;
}

/** @param {Content} content @param {string} [token] @returns {[string, FormDataEntryValue][]} */
const allOf = ({ values, files }, token) => [
  ...values,
  .../** @type {[string, File][]} */ (files.map((file) => [file.field, unpacked(file)])),
  .../** @type {[string, string][]} */ (token ? [["csrfmiddlewaretoken", token]] : []),
];

/** @param {HTMLFormElement} form */
function prepare(form) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let early;
  const note = () => {
    form.dataset.changed = "yes";
    if (form.dataset.outboxEarly == null) return;
    clearTimeout(early);
    early = setTimeout(() => keep(form, "unfinished").then(show, () => {}), EARLY);
  };
  form.addEventListener("input", note);
  form.addEventListener("change", note);
  form.addEventListener("submit", () => clearTimeout(early));
}

/** @param {SubmitEvent} event */
async function submitted(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const now = form.dataset.outboxNow != null;
  if (event.defaultPrevented || (form.dataset.outbox == null && !now)) return;
  event.preventDefault();
  if (now) {
    try {
      await arrive();
      form.submit();
    } catch {
      tell(form, "outbox-no-link");
    }
    return;
  }
  if (form.dataset.sending) return;
  form.dataset.sending = "yes";
  delete form.dataset.changed;
  try {
    await sendNow(form, /** @type {HTMLElement | null} */ (event.submitter));
  } finally {
    delete form.dataset.sending;
  }
}

/** @param {HTMLFormElement} form @param {HTMLElement | null} submitter */
async function sendNow(form, submitter) {
  let id = "";
  try {
    id = await keep(form, "waiting", submitter);
    // What is said anew stands in the place of what was refused, also while it waits for the link.
    if (form.dataset.outboxAnew != null && corrected && corrected !== id) {
      await remove(corrected);
      corrected = "";
    }
  } catch {
    // The tablet keeps nothing: as without this script.
    native(form, addressOf(form), [...new FormData(form, submitter)]);
    return;
  }
  const outcome = (await send()).get(id);
  if (outcome?.state === "refused") {
    const here = addressOf(form) === location.pathname;
    // Without a page there is no form to correct: the list says why.
    if (!outcome.page) list || location.assign(words.kept ?? "");
    else if (!here || !(await showAnswer(id, outcome.page))) await showRefusal(id);
  }
  else if (outcome) await goOn(id, outcome.to);
  // Signing in leads back to this page.
  else if (signedOut) location.reload();
  // An empty form for the next patient, or it would be taken for a correction of this one.
  else if (form.dataset.outboxEarly != null) location.assign(words.kept ?? "");
  else tell(form, "outbox-kept");
}

/** @param {string} id @param {string} to */
async function goOn(id, to) {
  await remove(id);
  if (corrected) await remove(corrected);
  location.assign(to);
}

/** @param {HTMLFormElement} form @param {string} template */
function tell(form, template) {
  document.querySelector("[data-outbox-told]")?.remove();
  const part = /** @type {HTMLTemplateElement} */ (document.getElementById(template)).content;
  const notice = /** @type {HTMLElement} */ (part.firstElementChild?.cloneNode(true));
  notice.dataset.outboxTold = "";
  form.before(notice);
  notice.focus();
}

// Sending -------------------------------------------------------------------------------------------

/** One tab at a time sends, in order; answers what came of each. @returns {Promise<Map<string, Outcome>>} */
async function send() {
  clearTimeout(timer);
  return navigator.locks ? await navigator.locks.request("tablet-send", sendAll) : sendAll();
}

async function sendAll() {
  /** @type {Map<string, Outcome>} */
  const outcomes = new Map();
  const waiting = (await own()).filter((entry) => entry.state === "waiting");
  let arrived = false;
  try {
    const token = waiting.length || standsIn || away ? await arrive() : "";
    for (const entry of token ? waiting : []) {
      if (entry.owner !== owner()) continue;
      const outcome = await deliver(entry, token);
      if (outcome) outcomes.set(entry.id, outcome);
      if (signedOut) break;
    }
    pause = LEAST;
    arrived = true;
  } catch {
    timer = setTimeout(send, pause * (0.9 + Math.random() / 5));
    pause = Math.min(pause * 2, MOST);
  }
  await show();
  follow(outcomes);
  if (standsIn && arrived) timer = setTimeout(goWhereWanted, TRY);
  return outcomes;
}

/** The link is back: on to the page that was asked for. */
function goWhereWanted() {
  if (standsIn) location.replace(location.href);
}

/** @param {Entry} entry @param {string} token @returns {Promise<Outcome | undefined>} */
async function deliver(entry, token) {
  /** @type {Content} */
  let content;
  try {
    content = await read(entry);
  } catch {
    return undefined;
  }
  const answer = await ask(content.action, {
    method: "POST",
    body: content.files.length ? bodyOf(allOf(content)) : new URLSearchParams(content.values),
    headers: { "Idempotency-Key": entry.id, "X-CSRFToken": token, "Kept-For": age(entry) },
  });
  const to = answer.headers.get("X-Location") ?? "";
  if (answer.status === 401) {
    signedOut = true;
    return undefined;
  }
  if (answer.status === 204 && to) {
    return (await settle(entry)) ? { state: "taken", to } : undefined;
  }
  const problem = /json/.test(answer.headers.get("Content-Type") ?? "");
  const said = problem ? (await answer.json()).title ?? "" : "";
  const page = problem ? undefined : await answer.text();
  if (!(await settle(entry, { ...entry, state: "refused", said }))) return undefined;
  return { state: to ? "elsewhere" : "refused", to, page };
}

/** @param {[string, FormDataEntryValue][]} entries */
function bodyOf(entries) {
  const body = new FormData();
  for (const [name, value] of entries) body.append(name, value);
  return body;
}

/** Goes on from a page whose form arrived later than it was sent. @param {Map<string, Outcome>} outcomes */
function follow(outcomes) {
  for (const form of forms()) {
    const outcome = outcomes.get(form.dataset.entry ?? "");
    const told = document.querySelector("[data-outbox-told]");
    if (outcome?.state === "taken" && told && !form.dataset.changed) location.assign(outcome.to);
  }
}

/**
 * Shows the answer that came, this page with the form filled in and what is wrong; says whether it
 * could. On a poor link nothing is sent a second time.
 * @param {string} id @param {string} html
 */
async function showAnswer(id, html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const answer = page.querySelector("main");
  if (!answer) return false;
  document.querySelector("main")?.replaceWith(answer);
  document.title = page.title;
  for (const form of forms()) prepare(form);
  correct(id, location.pathname);
  scrollTo(0, 0);
  const heading = answer.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus();
  // A summary of errors takes the focus from the heading.
  document.dispatchEvent(new CustomEvent("answer:shown", { detail: answer }));
  return true;
}

/**
 * Sends a refused entry once more: what stood in its way may be gone. Still refused, it is shown on
 * the server's page, or on this one. Fails without a link. @param {Entry} entry @param {Content} content
 */
async function openRefused(entry, content) {
  if (!(await arrive())) {
    // Signing in leads back to this page.
    location.reload();
    return;
  }
  await settle(entry, { ...entry, state: "waiting" });
  const outcome = (await send()).get(entry.id);
  // What has to be done first leaves the entry here, to be opened again afterwards.
  if (outcome?.to) location.assign(outcome.to);
  else if (outcome?.page) await showRefusal(entry.id);
  else look(entry, content);
}

/** Lets the server say, on its own page with the form filled in, why it did not take an entry. @param {string} id */
async function showRefusal(id) {
  const entry = (await own()).find((one) => one.id === id);
  if (!entry) return;
  const content = await read(entry);
  const { action } = content;
  const token = await arrive();
  sessionStorage.setItem(SHOWN, JSON.stringify({ id, action }));
  native(null, action, [...allOf(content, token), ["kept_for", age(entry)]]);
}

/** How many seconds ago it was entered: right also by a clock that is wrong. @param {Entry} entry */
const age = (entry) => String(Math.floor((Date.now() - entry.at) / 1000));

/** @param {HTMLFormElement | null} form @param {string} action @param {[string, FormDataEntryValue][]} values */
function native(form, action, values) {
  const sent = document.createElement("form");
  sent.method = "post";
  sent.action = action;
  for (const [name, value] of values) {
    const input = document.createElement(typeof value === "string" ? "textarea" : "input");
    input.name = name;
    if (input instanceof HTMLInputElement && value instanceof File) {
      const chosen = new DataTransfer();
      chosen.items.add(value);
      input.type = "file";
      input.files = chosen.files;
      sent.enctype = "multipart/form-data";
    } else {
      input.value = String(value);
    }
    sent.append(input);
  }
  sent.hidden = true;
  (form ?? document.body).after(sent);
  sent.submit();
}

/** The server's page asks for a correction; or it did not come, and the entry stays as it is. */
function noteCorrected() {
  const shown = sessionStorage.getItem(SHOWN);
  sessionStorage.removeItem(SHOWN);
  if (!shown || list) return;
  const { id, action } = JSON.parse(shown);
  correct(id, action);
}

/** This page's form corrects a refused entry. @param {string} id @param {string} action */
function correct(id, action) {
  const form = [...forms()].find((one) => addressOf(one) === action);
  if (!form) return;
  corrected = id;
  if (form.dataset.outboxAnew == null) form.dataset.entry = id;
}

// Showing -------------------------------------------------------------------------------------------

async function show() {
  const entries = await own();
  const count = (/** @type {Entry["state"]} */ state) =>
    entries.filter((entry) => entry.state === state).length;
  const waiting = count("waiting");
  const texts = [];
  // What waits says it too, and the list has a notice.
  if (away && !waiting && !list) texts.push(words.textAway);
  if (removed) texts.push(words.textOld?.replace("{}", String(removed)));
  if (waiting && signedOut) texts.push(words.textSignedOut);
  else if (waiting === 1) texts.push(words.textOne);
  else if (waiting) texts.push(words.textMany?.replace("{}", String(waiting)));
  if (count("refused")) texts.push(words.textRefused);
  if (count("unfinished") && !visitPage) texts.push(words.textUnfinished);
  // Where the service says that nobody is signed in, it has answered.
  untold = away || (waiting > 0 && !signedOut);
  tellContact();
  const bar = /** @type {HTMLElement} */ (strip.firstElementChild);
  const place = /** @type {HTMLElement} */ (bar.firstElementChild);
  bar.hidden = !texts.length && !untold;
  const text = texts.join(" ");
  if (place.textContent !== text) place.textContent = text;
  const link = /** @type {HTMLElement} */ (bar.querySelector("a"));
  link.hidden = !entries.length && !removed;
  if (list) await showList(list, entries);
}

/** Not said aloud: it changes every minute. */
function tellContact() {
  const place = part("[data-outbox-contact]");
  // Another tab may have heard since.
  heardAt = Number(localStorage.getItem(HEARD)) || heardAt;
  place.hidden = !untold || !heardAt;
  const minutes = Math.floor((Date.now() - heardAt) / MINUTE);
  const text = minutes < 1 ? words.textJustNow : words.textContact?.replace("{}", ago(minutes));
  if (text && place.textContent !== text) place.textContent = text;
}

/** @param {number} minutes */
function ago(minutes) {
  const words = new Intl.RelativeTimeFormat(`${document.documentElement.lang}-IN-u-nu-latn`);
  const hours = Math.floor(minutes / 60);
  if (hours < 2) return words.format(-minutes, "minute");
  return hours < 48 ? words.format(-hours, "hour") : words.format(-Math.floor(hours / 24), "day");
}

/** @param {string} selector */
const part = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** @param {HTMLElement} place @param {Entry[]} entries */
async function showList(place, entries) {
  part("[data-outbox-away]").hidden = navigator.onLine && location.pathname === words.kept;
  const rows = /** @type {HTMLElement} */ (place.querySelector("ul"));
  const shown = [];
  let locked = false;
  for (const entry of entries) {
    try {
      shown.push(rowOf(place, entry, await read(entry)));
    } catch {
      locked = true;
    }
  }
  // Who may still want to undo keeps the row.
  shown.push(...rows.querySelectorAll("[data-withdrawn]"));
  rows.replaceChildren(...shown);
  part("[data-outbox-locked]").hidden = !locked;
  part("[data-outbox-none]").hidden = locked || shown.length > 0;
}

/** @param {HTMLElement} place @param {Entry} entry @param {Content} content */
function rowOf(place, entry, content) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("outbox-entry"));
  const row = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  const inside = (/** @type {string} */ selector) =>
    /** @type {HTMLElement} */ (row.querySelector(selector));
  const { lang } = document.documentElement;
  inside("[data-title]").textContent = content.title;
  inside("time").textContent = new Date(entry.at).toLocaleString(`${lang}-IN`, {
    dateStyle: "medium",
    timeStyle: "short",
  });
  const state = inside("[data-state]");
  const said = { waiting: "textWaiting", refused: "textRefused", unfinished: "textUnfinished" };
  state.textContent = entry.said || (place.dataset[said[entry.state]] ?? "");
  const [open, withdraw, undo] = ["open", "withdraw", "undo"].map((name) =>
    inside(`[data-do=${name}]`),
  );
  open.onclick = async () => {
    standsIn = false;
    if (entry.state === "refused") await openRefused(entry, content).catch(() => look(entry, content));
    else look(entry, content);
  };
  withdraw.onclick = async () => {
    standsIn = false;
    await remove(entry.id);
    row.dataset.withdrawn = "";
    state.textContent = place.dataset.textWithdrawn ?? "";
    open.hidden = withdraw.hidden = true;
    undo.hidden = false;
    undo.focus();
    await show();
  };
  undo.onclick = async () => {
    await change(entry);
    row.remove();
    await show();
    again();
  };
  return row;
}

/** Shows the form as it was filled in. @param {Entry} entry @param {Content} content */
function look(entry, content) {
  const section = part("[data-outbox-opened]");
  const [heading, place] = /** @type {HTMLElement[]} */ ([...section.children]);
  const template = document.createElement("template");
  template.innerHTML = content.html;
  place.replaceChildren(template.content);
  const form = /** @type {HTMLFormElement} */ (place.querySelector("form"));
  form.dataset.entry = entry.id;
  fill(form, content.values);
  for (const details of form.querySelectorAll("details")) {
    details.open = details.querySelector(":checked") !== null;
  }
  for (const { field, name } of content.files) {
    const said = document.createElement("p");
    said.className = "govuk-hint";
    said.textContent = list?.dataset.textFile?.replace("{}", name) ?? "";
    form.querySelector(`[name="${field}"]`)?.after(said);
  }
  prepare(form);
  heading.textContent = content.title;
  section.hidden = false;
  heading.focus();
}

// For when there is no link -------------------------------------------------------------------------

/** Keeps the empty pages and what they are made of, once for each reader and release. */
async function keepPages() {
  const of = `${owner()} ${document.documentElement.lang} ${import.meta.url}`;
  if (signedOut || !owner()) return;
  if (localStorage.getItem("tablet-pages") === of && (await caches.has(PAGES))) return;
  try {
    const addresses = [words.kept ?? "", words.visit ?? ""];
    const pages = await Promise.all(addresses.map((address) => fetch(address)));
    if (pages.some((page) => !page.ok || page.redirected)) return;
    const html = (await Promise.all(pages.map((page) => page.clone().text()))).join("");
    await caches.delete(PAGES);
    const cache = await caches.open(PAGES);
    await cache.addAll([...new Set(html.match(/\/static\/[^"]+/g))]);
    await Promise.all(addresses.map((address, index) => cache.put(address, pages[index])));
    localStorage.setItem("tablet-pages", of);
  } catch {
    // The next page tries again.
  }
}
