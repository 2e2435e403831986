// Pages that change by themselves. The gateway says where to look; when it is silent, pages poll.
//
// <meta name="live-gateway" content="https://host"    the gateway
//       data-safety="60">                             while it speaks, look so seldom all the same
// <body data-live-ticket-url="/url"                   answers {"ticket": "...", "expires": seconds}
//       data-live-ticket="..." data-live-seconds="600">  a first one, made with the page
// <div data-live-topic="line.<id> desk.<id>"          hears these topics
//      data-live-src="/url" data-live-poll="5"        this fragment is its content,
//      data-live-least="3">                           fetched at most once in so many seconds;
//                                                     without a topic of its own at its own pace
//   <i data-live-topic="line.<id>">                   inside: what else it hears, as it is now
// <b data-live-bind="place">                          takes its text from the hint itself
// <ol data-live-tail>                                 stays scrolled to its end
// live:contact: told to the document with each answer, `false` where none came
// <p data-live-status data-text-live data-text-polling data-text-offline data-text-out>
import { morph } from "./parts/morph.js";

/** @typedef {{due: number, next: number, busy: boolean, again: boolean, timer?: number, tag: string, failures: number, stopped: boolean}} Fragment */

const SILENCE = 5_000; // without a stream for so long, poll
const HEARTBEAT = 45_000; // the gateway speaks every 20 s
const LEAST = 1_000;

/** @type {HTMLMetaElement | null} */
const meta = document.querySelector("meta[name=live-gateway]");
const gateway = meta?.content ?? "";
// Milliseconds: a hint may be lost before it reaches the gateway.
const SAFETY = (Number(meta?.dataset.safety) || 60) * 1_000;
const { liveTicketUrl: ticketUrl = "", liveTicket = "", liveSeconds = "0" } = document.body.dataset;
/** @type {WeakMap<HTMLElement, Fragment>} */
const fragments = new WeakMap();

/** @type {EventSource | undefined} */
let source;
let ticket = liveTicket;
let expires = Date.now() + Number(liveSeconds) * 1_000;
// The page's own ticket is as old as the page: with it the gateway knows what the page lacks.
let ours = Boolean(ticket);
let live = false;
let heardAt = 0;
let attempts = 0;
let wanted = Boolean(gateway && ticketUrl && "EventSource" in window);
let silentSince = wanted ? Date.now() : 0;
let unreachable = false;
// Signed out, as in another tab: nothing more comes until somebody is signed in again.
let out = false;
/** @type {number | undefined} */
let reconnection;

const elements = () =>
  /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-live-src]"));
/** @param {HTMLElement} element */
const topicsOf = (element) => (element.dataset.liveTopic ?? "").split(" ").filter(Boolean);
/** What stood on the page to be heard when the ticket was asked for. */
let heard = topics();
const polling = () => !live && Date.now() - silentSince >= SILENCE;

/** @param {ParentNode} place @returns {Set<string>} */
function topics(place = document) {
  /** @type {NodeListOf<HTMLElement>} */
  const hearing = place.querySelectorAll("[data-live-topic]");
  return new Set([...hearing].flatMap(topicsOf));
}

/** @param {HTMLElement} element */
function fragmentOf(element) {
  let fragment = fragments.get(element);
  if (!fragment) {
    fragment = { due: 0, next: 0, busy: false, again: false, tag: "", failures: 0, stopped: false };
    fragment.due = Date.now() + interval(element, fragment);
    fragments.set(element, fragment);
  }
  return fragment;
}

/** @param {HTMLElement} element @param {Fragment} fragment */
function interval(element, fragment) {
  const usual = (Number(element.dataset.livePoll) || 5) * 1_000;
  // No hint tells of what hears nothing.
  const hears = element.dataset.liveTopic != null;
  const calm = live && hears ? SAFETY : document.hidden ? Math.max(usual, 30_000) : usual;
  const patient = Math.min(calm * 2 ** fragment.failures, Math.max(calm, 60_000));
  return patient * (0.9 + Math.random() / 5);
}

/** @param {HTMLElement} element */
async function refresh(element) {
  const fragment = fragmentOf(element);
  if (fragment.stopped) return;
  if (fragment.busy) {
    fragment.again = true;
    return;
  }
  if (Date.now() < fragment.next) {
    fragment.timer ??= setTimeout(() => {
      fragment.timer = undefined;
      refresh(element);
    }, fragment.next - Date.now());
    return;
  }
  fragment.busy = true;
  fragment.next = Date.now() + (Number(element.dataset.liveLeast) * 1_000 || LEAST);
  try {
    await load(element, fragment);
    unreachable = false;
  } catch {
    fragment.failures++;
    unreachable = true;
  }
  contact(!unreachable);
  fragment.busy = false;
  fragment.due = Date.now() + interval(element, fragment);
  tell();
  if (fragment.again && element.isConnected) {
    fragment.again = false;
    refresh(element);
  }
}

/** @param {HTMLElement} element @param {Fragment} fragment */
async function load(element, fragment) {
  const url = new URL(element.dataset.liveSrc ?? "", location.href);
  if (url.origin !== location.origin) {
    fragment.stopped = true;
    return;
  }
  const answer = await get(url.href, fragment.tag ? { "If-None-Match": fragment.tag } : {});
  if (answer.status === 401 || (answer.redirected && isSignIn(answer.url))) out = true;
  // Signed out, moved on or gone: what is on the screen is better than what would come.
  fragment.stopped = answer.redirected || [401, 403, 404, 410].includes(answer.status);
  fragment.failures = answer.status >= 500 ? fragment.failures + 1 : 0;
  if (answer.status !== 200 || fragment.stopped || !element.isConnected) return;
  fragment.tag = answer.headers.get("ETag") ?? "";
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  show(element, template.content);
}

/** @param {boolean} detail whether the service answered */
function contact(detail) {
  document.dispatchEvent(new CustomEvent("live:contact", { detail }));
}

/** @param {string} address */
const isSignIn = (address) => new URL(address).pathname.split("/").includes("sign-in");

/** @param {string} url @param {Record<string, string>} headers */
async function get(url, headers) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 15_000);
  try {
    return await fetch(url, {
      headers: { "X-Fragment": "1", ...headers },
      cache: "no-store",
      signal: abort.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {HTMLElement} element @param {DocumentFragment} content */
function show(element, content) {
  const before = element.innerHTML;
  const tails = [element, ...element.querySelectorAll("[data-live-tail]")].filter(
    (tail) =>
      tail.matches("[data-live-tail]") &&
      tail.scrollHeight - tail.scrollTop - tail.clientHeight < 40,
  );
  morph(element, content);
  if (element.innerHTML === before) return;
  for (const tail of tails) tail.scrollTop = tail.scrollHeight;
  element.dispatchEvent(new CustomEvent("live:updated", { bubbles: true }));
  // What came now is to be heard too, and the ticket does not know of it.
  if (source && [...topics()].some((topic) => !heard.has(topic))) {
    expires = 0;
    connect();
  }
}

/** @param {MessageEvent<string>} event */
function look(event) {
  const detail = JSON.parse(event.data);
  document.dispatchEvent(new CustomEvent("live:look", { detail }));
  /** @type {NodeListOf<HTMLElement>} */
  const hearing = document.querySelectorAll(`[data-live-topic~="${detail.topic}"]`);
  for (const element of hearing) {
    const bound = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[data-live-bind]")]);
    const texts = bound.map((part) => detail[part.dataset.liveBind ?? ""]);
    bound.forEach((part, index) => {
      const text = texts[index] == null ? part.textContent : String(texts[index]);
      if (part.textContent !== text) part.textContent = text;
    });
    const part = /** @type {HTMLElement | null} */ (element.closest("[data-live-src]"));
    if (!part) continue;
    // A hint that says it all saves a request; one that leaves something out asks for it, and so
    // does one that meets an answer on its way, which may be older than the hint.
    const told = bound.length > 0 && texts.every((text) => text != null);
    if (!told || fragmentOf(part).busy) refresh(part);
  }
}

function resynchronise() {
  elements().forEach(refresh);
}

/** @param {string[]} missed */
function catchUp(missed) {
  for (const element of elements()) {
    const hears = [...topicsOf(element), ...topics(element)];
    if (hears.some((topic) => missed.includes(topic))) refresh(element);
  }
}

/** @param {boolean} now */
function setLive(now) {
  if (live && !now) {
    silentSince = Date.now();
    for (const element of elements()) fragmentOf(element).due = silentSince + SILENCE;
  }
  live = now;
  tell();
}

function tell() {
  const mode = out
    ? "out"
    : live
    ? "live"
    : navigator.onLine === false || unreachable
      ? "offline"
      : polling()
        ? "polling"
        : "";
  if (!mode) return;
  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll("[data-live-status]");
  for (const place of places) {
    if (place.dataset.liveStatus === mode) continue;
    place.dataset.liveStatus = mode;
    place.textContent = place.getAttribute(`data-text-${mode}`) ?? "";
  }
}

/** Opens a stream; one that is still open serves until the new one speaks. */
async function connect() {
  clearTimeout(reconnection);
  reconnection = undefined;
  if (!wanted) return;
  if (expires - Date.now() < 30_000) {
    heard = topics();
    try {
      const answer = await get(ticketUrl, { Accept: "application/json" });
      if (answer.redirected || [401, 403, 404, 410].includes(answer.status)) {
        wanted = false;
        return;
      }
      // Too many asked, or a service in trouble: what it says of that is no ticket.
      if (!answer.ok) throw new Error(String(answer.status));
      const given = await answer.json();
      ticket = given.ticket;
      ours = false;
      expires = Date.now() + given.expires * 1_000;
    } catch {
      retry();
      return;
    }
  }
  const opened = new EventSource(`${gateway}/live/events?ticket=${encodeURIComponent(ticket)}`);
  heardAt = Date.now();
  /** @param {string} name @param {(event: MessageEvent<string>) => void} act */
  const on = (name, act) =>
    opened.addEventListener(name, (event) => {
      heardAt = Date.now();
      contact(true);
      act(/** @type {MessageEvent<string>} */ (event));
    });
  on("alive", () => {});
  on("look", look);
  on("lost", () => setLive(false));
  on("resync", () => {
    setLive(true);
    // Everybody hears this at once; spare the server.
    setTimeout(resynchronise, Math.random() * 2_000);
  });
  on("hello", (event) => {
    if (source !== opened) source?.close();
    source = opened;
    attempts = 0;
    const { bus, missed } = JSON.parse(event.data);
    setLive(bus);
    if (ours && missed) catchUp(missed);
    else resynchronise();
    clearTimeout(reconnection);
    reconnection = setTimeout(connect, Math.max(expires - Date.now() - 30_000, 10_000));
  });
  opened.onerror = () => {
    opened.close();
    if (source && source !== opened) return;
    // Refused before it spoke, again and again: the ticket may be no good any more. A page that was
    // kept comes with a ticket that has run out.
    if (!source && (ours || attempts % 4 === 3)) expires = 0;
    source = undefined;
    setLive(false);
    retry();
  };
}

function retry() {
  attempts++;
  clearTimeout(reconnection);
  reconnection = setTimeout(connect, Math.random() * Math.min(3_000 * 1.5 ** attempts, 30_000));
}

function reconnect() {
  if (!wanted) return;
  disconnect();
  connect();
}

/** Perhaps somebody has signed in again meanwhile. */
function comeBack() {
  out = false;
  wanted = Boolean(gateway && ticketUrl && "EventSource" in window);
  for (const element of elements()) fragmentOf(element).stopped = false;
}

function disconnect() {
  clearTimeout(reconnection);
  source?.close();
  source = undefined;
  setLive(false);
}

setInterval(() => {
  if (source && Date.now() - heardAt > HEARTBEAT) reconnect();
  tell();
  if (!live && !polling()) return;
  for (const element of elements()) {
    if (fragmentOf(element).due <= Date.now() && !(live && document.hidden)) refresh(element);
  }
}, 1_000);

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  if (out) comeBack();
  if (Date.now() - heardAt > HEARTBEAT / 2) reconnect();
  resynchronise();
});
addEventListener("online", () => {
  reconnect();
  resynchronise();
});
addEventListener("offline", tell);
document.addEventListener("live:refresh", () => elements().forEach(refresh));
addEventListener("pagehide", disconnect);
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  reconnect();
  resynchronise();
});
connect();
