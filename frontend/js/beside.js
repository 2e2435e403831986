// While a call runs on the desk, nothing loads the page anew: that would break the call off. Without
// one, what was written before is shown here all the same: the desk stays as it is left.
//
// <main> <div class="desk">            what a form or a change leads to is fetched and fitted in
// <div id="desk-said">                 what is said of it, above it: gone once the doctor goes on
// <div data-beside hidden>             another page (to check a prescription) is shown here instead
// <a data-shown-beside>                leads to such a page also without a call
// <a hreflang>                         puts this page into another language
// Links to elsewhere open in a tab of their own.
import { morph } from "./parts/morph.js";
import { sayNoLink } from "./parts/no_link.js";

const room = /** @type {HTMLElement | null} */ (document.querySelector("[data-call-room]"));
const desk = /** @type {HTMLElement | null} */ (document.querySelector(".desk"));
const said = document.getElementById("desk-said");
const beside = /** @type {HTMLElement | null} */ (document.querySelector("[data-beside]"));
const RUNNING = ["connecting", "waiting", "connected", "reconnecting"];
const here = location.pathname;

let underway = 0;
// Answers come in another order than they were asked for, over a poor link.
let asked = 0;
let shown = 0;

const runs = () => room !== null && RUNNING.includes(room.dataset.callState ?? "");

if (room) {
  const { style } = document.documentElement;
  new ResizeObserver(() => {
    style.setProperty("--call-height", `${room.offsetHeight}px`);
  }).observe(room);
}

function showDesk() {
  if (!desk || !beside) return;
  beside.replaceChildren();
  beside.hidden = true;
  desk.hidden = false;
}

/** @param {Response} answer */
async function pageOf(answer) {
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** @param {Iterable<Node>} nodes of another document */
function copied(nodes) {
  return [...nodes].map((node) => document.importNode(node, true));
}

/** @param {ParentNode} place @returns {string | undefined} the consultation that its form is about */
function typedFor(place) {
  /** @type {HTMLElement | null} */
  const form = place.querySelector("form[data-typed]");
  return form?.dataset.typed;
}

/** Two pages stand in one: what is named like a part of the desk gets a name of its own.
 * @param {HTMLElement} place @param {HTMLElement} other */
function setApart(place, other) {
  for (const one of place.querySelectorAll("[id]")) {
    const { id } = one;
    if (!other.querySelector(`#${CSS.escape(id)}`)) continue;
    one.id = `beside-${id}`;
    for (const name of ["for", "aria-labelledby", "aria-describedby"]) {
      place.querySelectorAll(`[${name}="${CSS.escape(id)}"]`).forEach((user) => user.setAttribute(name, one.id));
    }
    place.querySelectorAll(`a[href="#${CSS.escape(id)}"]`).forEach((user) => user.setAttribute("href", `#${one.id}`));
  }
}

/** @param {Document} page @param {string} address where it came from @returns {boolean} this page stays */
function fit(page, address) {
  const main = page.querySelector("main");
  const newDesk = page.querySelector(".desk");
  const url = new URL(address, location.href);
  if (!desk || !beside || !main || (url.pathname === here && !newDesk)) {
    location.assign(address);
    return false;
  }
  if (newDesk) {
    // The patient has gone, or it is another, who gets nothing typed for this one: so goes the call.
    const patient = typedFor(newDesk);
    if (!patient || patient !== typedFor(desk)) {
      location.assign(address);
      return false;
    }
    document.title = page.title;
    morph(desk, newDesk);
    showDesk();
    document.dispatchEvent(new CustomEvent("page:changed", { detail: desk }));
    const place = url.hash ? document.getElementById(url.hash.slice(1)) : null;
    place?.scrollIntoView({ block: "center" });
    place?.focus({ preventScroll: true });
    /** @type {HTMLElement | null} */ (desk.querySelector("[data-asks]"))?.focus();
    // A summary of errors takes the focus.
    if (said) {
      said.replaceChildren(...copied(page.getElementById("desk-said")?.childNodes ?? []));
      document.dispatchEvent(new CustomEvent("answer:shown", { detail: said }));
    }
    return true;
  }
  document.title = page.title;
  said?.replaceChildren();
  desk.hidden = true;
  beside.hidden = false;
  const back = page.querySelector(".govuk-back-link");
  beside.replaceChildren(...copied(back ? [back, ...main.childNodes] : main.childNodes));
  beside.dataset.address = address;
  setApart(beside, desk);
  // Should the call end meanwhile, the form goes where it belongs all the same.
  for (const form of beside.querySelectorAll("form:not([action])")) form.setAttribute("action", address);
  const heading = beside.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus();
  document.dispatchEvent(new CustomEvent("page:changed", { detail: beside }));
  return true;
}

/** @param {string} address @param {RequestInit} [how] a form on its way: see desk.js @param {() => void} [unsent] */
async function load(address, how, unsent) {
  const { dataset } = document.documentElement;
  const turn = ++asked;
  if (how) {
    underway++;
    dataset.sent = "";
  }
  let stays = true;
  try {
    const answer = await fetch(address, { ...how, headers: { Accept: "text/html" } });
    // An answer's address has lost the part of the page that the link leads to.
    const { hash } = new URL(address, location.href);
    const page = await pageOf(answer);
    if (how || turn > shown) {
      shown = Math.max(shown, turn);
      stays = fit(page, answer.url + hash);
    }
  } catch {
    // No connection. The desk is still here; elsewhere the browser's own way says so, and the call is
    // lost anyway.
    if (!how && desk?.hidden && new URL(address, location.href).pathname === here) showDesk();
    else if (!how) location.assign(address);
    unsent?.();
  }
  if (!how) return;
  underway--;
  if (underway || !stays) return;
  delete dataset.sent;
  // What came meanwhile is looked at now.
  document.dispatchEvent(new CustomEvent("live:updated"));
}

/** @param {string} address chooses a language and leads back here */
async function translate(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" } });
  } catch {
    return; // No connection: the page says so, and the link is still there.
  }
  const page = await pageOf(answer);
  const same = page.querySelector("[data-call-room]") && typedFor(page) === typedFor(document);
  if (new URL(answer.url).pathname !== here || !same) {
    location.assign(answer.url);
    return;
  }
  const open = beside?.hidden === false ? beside.dataset.address : undefined;
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  morph(document.body, page.body, room);
  document.dispatchEvent(new CustomEvent("page:changed", { detail: document.body }));
  document.dispatchEvent(new CustomEvent("live:refresh"));
  if (open) load(open);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || !runs()) return;
  const pressed = event.submitter instanceof HTMLButtonElement ? event.submitter : null;
  // What ends the consultation ends the call; not while the patient is still to be asked something.
  const ends = ["done", "done_next", "confirm_consent:done", "confirm_consent:done_next"];
  const asks = document.getElementById("confirm-consent") && !form.elements.namedItem("consent_asked");
  if ((ends.includes(pressed?.value ?? "") && !asks) || form.closest("[data-call-room]")) return;
  event.preventDefault();
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) body.append(name, String(value));
  if (pressed?.name) body.append(pressed.name, pressed.value);
  const given = pressed?.getAttribute("formaction") ?? form.getAttribute("action");
  load(given || beside?.dataset.address || location.href, { method: "POST", body }, () =>
    sayNoLink(form, pressed),
  );
});

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || link.origin !== location.origin) return;
  // A photo: see parts/viewer.js. With one of these keys a tab of its own is asked for.
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const isOpen = beside !== null && !beside.hidden;
  if (!runs() && !isOpen && !("shownBeside" in link.dataset)) return;
  if (link.hreflang && runs() && !beside?.contains(link)) {
    event.preventDefault();
    translate(link.href);
  } else if (link.pathname === here) {
    if (!isOpen || link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    load(link.href);
  } else if ("shownBeside" in link.dataset) {
    event.preventDefault();
    load(link.href);
  } else if (runs() || beside?.contains(link)) link.target = "_blank";
});

// The desk has moved on: see desk.js.
document.addEventListener("desk:moved", (event) => {
  if (!runs()) return;
  event.preventDefault();
  load(here);
});
