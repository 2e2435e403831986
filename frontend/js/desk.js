// The doctor's desk. Works without; with it nothing typed is lost, and the clocks run.
//
// <form data-typed="<id>">            its texts are kept in this tab until the server has them
// <input data-enter="<button's id>">  Enter presses that button
// <b data-until="<instant>">          counts down; data-since counts up; data-now is the server's time
// <p data-call="<state>">             when the state changes, the desk is loaded again; with nobody
//                                     there any more it says what `data-gone` names
// <span data-duty="<status>">         when it changes elsewhere, likewise
// <a data-picture="<name>">           opens large beside the call and the notes: see parts/viewer.js
// Answers say X-Kept (the note is stored) and X-Taken (the fields whose text was used).
import { enhancePictures } from "./parts/viewer.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-typed]"));
const draftKey = `desk-draft-${form?.dataset.typed}`;
// What an action uses up or the end of the consultation takes: the note does not hold them.
const ONE_LINERS = [
  "text",
  "diagnosis",
  "line",
  "medicine",
  "template",
  "shorthand",
  "missing",
  "hand_back_reason",
  "redirect_reason",
  "refer_to",
  "letter_reason",
];

/** @returns {(HTMLInputElement | HTMLTextAreaElement)[]} */
function fields() {
  return form
    ? [...form.querySelectorAll("textarea[name], input[name]")]
        .map((field) => /** @type {HTMLInputElement} */ (field))
        .filter((field) => field.type === "text" || field instanceof HTMLTextAreaElement)
    : [];
}

/** @returns {(HTMLInputElement | HTMLSelectElement)[]} what is chosen for the end: a save takes none of it */
function choices() {
  return form ? [...form.querySelectorAll("input[type=radio], select")].map((one) => /** @type {any} */ (one)) : [];
}

/** @param {HTMLInputElement | HTMLSelectElement} choice */
function isChosen(choice) {
  return choice instanceof HTMLSelectElement
    ? !choice.selectedOptions[0]?.defaultSelected
    : choice.checked && !choice.defaultChecked;
}

// What was typed and not stored yet survives a reload and a new sign-in, and so does what was chosen;
// the tab forgets it at last.
function keepDraft() {
  const typed = Object.fromEntries(
    [...fields().filter((field) => field.value !== field.defaultValue), ...choices().filter(isChosen)].map(
      (field) => [field.name, field.value],
    ),
  );
  if (Object.keys(typed).length) sessionStorage.setItem(draftKey, JSON.stringify(typed));
  else sessionStorage.removeItem(draftKey);
}

function restoreDraft() {
  const typed = JSON.parse(sessionStorage.getItem(draftKey) ?? "{}");
  for (const choice of choices()) {
    if (choice instanceof HTMLSelectElement) choice.value = typed[choice.name] ?? choice.value;
    else if (choice.name in typed) choice.checked = choice.value === typed[choice.name];
  }
  const unkept = fields().filter((field) => (typed[field.name] ?? field.value) !== field.value);
  for (const field of unkept) field.value = typed[field.name];
  // All of it stands there again before the first of them is heard and the draft kept anew.
  for (const field of unkept) field.dispatchEvent(new Event("input", { bubbles: true }));
}

// The desk forgets a patient who is not here any more; advice to a colleague can be finished as long
// as the desk leads to it.
if (document.querySelector(".desk:not(.desk--asked)")) {
  for (const key of Object.keys(sessionStorage)) {
    if (!key.startsWith("desk-draft-") || key === draftKey) continue;
    const about = key.replace("desk-draft-", "");
    if (!document.querySelector(`a[href*="/asked/"][href$="/${about}"]`)) sessionStorage.removeItem(key);
  }
}
if (form) {
  // After htmx, which has to hear of it.
  addEventListener("DOMContentLoaded", restoreDraft);
  form.addEventListener("input", keepDraft);
  form.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key !== "Enter" || event.isComposing || !(field instanceof HTMLInputElement)) return;
    if (!field.dataset.enter) return;
    event.preventDefault();
    if (field.value.trim()) document.getElementById(field.dataset.enter)?.click();
  });
}

const AGAIN = 5_000;
/** @type {number | undefined} */
let again;
addEventListener("online", keepAgain);
function keepAgain() {
  clearTimeout(again);
  again = undefined;
  // htmx hears it, and keeps the whole form.
  const unkept = fields().find(
    (field) => field.value !== field.defaultValue && field.closest("[hx-trigger]"),
  );
  unkept?.dispatchEvent(new Event("input", { bubbles: true }));
}

// The page that comes may have been made before the answer that this one still hears: the draft stays.
let leaving = false;
addEventListener("beforeunload", () => {
  leaving = true;
  // Should it not come after all.
  setTimeout(() => {
    leaving = false;
  }, 60_000);
});

// htmx tells with what an action was sent: a field typed on meanwhile is not emptied.
document.addEventListener("htmx:afterRequest", (event) => {
  if (leaving) return;
  const { xhr, requestConfig } = /** @type {CustomEvent} */ (event).detail;
  const kept = xhr.getResponseHeader("X-Kept");
  if (kept === null) {
    notKept(xhr.status);
    // Who has stopped writing is not to lose it for want of another key.
    if (xhr.status === 0) again ??= setTimeout(keepAgain, AGAIN);
    return;
  }
  const sent = requestConfig.parameters;
  const taken = (xhr.getResponseHeader("X-Taken") ?? "").split(" ");
  for (const field of fields()) {
    const now = sent[field.name];
    if (taken.includes(field.name) && field.value === now) field.value = field.defaultValue = "";
    else if (kept === "yes" && now !== undefined && !ONE_LINERS.includes(field.name)) {
      field.defaultValue = now;
    }
  }
  fillIn(sent);
  keepDraft();
  // The button that was pressed may be gone: the cursor goes back to where the next one is typed.
  const active = document.activeElement;
  if (active && active !== document.body) return;
  /** @type {HTMLElement | null} */
  const next = taken[0]
    ? document.getElementById(`id_${taken[0]}`)
    : document.querySelector(".item input:not([type=hidden])");
  next?.focus();
});
/**
 * The fields of the note as a template left them, or another window; the server has them already.
 * @param {Record<string, string>} sent what was typed since in a text goes on from them
 */
function fillIn(sent) {
  const filled = document.getElementById("filled");
  if (!filled) return;
  for (const { dataset, textContent } of /** @type {Iterable<HTMLElement>} */ (filled.children)) {
    const name = dataset.fill ?? "";
    const field = fields().find((one) => one.name === name);
    if (!field) continue;
    const typed = field.value;
    field.value = field.defaultValue = textContent ?? "";
    if (typed === sent[name]) continue;
    if (typed.startsWith(sent[name])) field.value += typed.slice(sent[name].length);
    else field.value = typed;
  }
  filled.replaceChildren();
}

// What a key opens is where the next key goes.
document.addEventListener(
  "toggle",
  (event) => {
    const { target } = event;
    if (!(target instanceof HTMLDetailsElement) || !target.open) return;
    if (!target.closest(".actions")) return;
    /** @type {HTMLElement | null} */
    const first = target.querySelector("input:not([type=hidden]), button");
    first?.focus();
  },
  true,
);
document.addEventListener("htmx:sendError", () => notKept(0));
// A refusal that says what to do is shown like any other part.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const type = detail.xhr.getResponseHeader("X-Unkept");
  if (type) detail.shouldSwap = true;
  else if (detail.xhr.getResponseHeader("X-Kept") === null) detail.shouldSwap = false;
});

/** @param {number} status */
function notKept(status) {
  const place = document.getElementById("writing-status");
  if (!place || place.classList.contains("writing-status--bad")) return;
  place.classList.add("writing-status--bad");
  place.textContent = (status === 0 ? form?.dataset.textOffline : form?.dataset.textRefused) ?? "";
}

document.addEventListener("htmx:oobAfterSwap", () => {
  const messages = document.getElementById("messages");
  if (messages) messages.scrollTop = messages.scrollHeight;
});
// The first result is where the next key goes.
document.addEventListener("htmx:afterSettle", () => {
  const from = document.activeElement;
  const first = document.querySelector("[data-choice]");
  if (first instanceof HTMLElement && from instanceof HTMLElement && from.dataset.enter) first.focus();
  const opened = document.querySelector("[data-opened]");
  if (opened instanceof HTMLElement && !opened.dataset.opened) {
    opened.dataset.opened = "seen";
    opened.focus();
  }
});

// The call ------------------------------------------------------------------------------------------

const said = () =>
  /** @type {HTMLElement | null} */ (document.querySelector("[data-call]"))?.dataset ?? {};
let { call: rendered, gone = "moved" } = said();
// A form on its way (`data-sent`, also by beside.js) leads to a page that says what it did: the desk
// is not loaded before it.
const { dataset } = document.documentElement;
addEventListener("submit", (event) => {
  if (!event.defaultPrevented) dataset.sent = "";
});
addEventListener("pageshow", () => {
  delete dataset.sent;
});
document.addEventListener("live:updated", () => {
  const { call: now, gone: then = gone } = said();
  if (!now || now === rendered || "sent" in dataset) return;
  if (now === "none") location.replace(`/desk?${gone}=1`);
  else if (document.dispatchEvent(new CustomEvent("desk:moved", { cancelable: true }))) {
    location.reload();
  }
  rendered = now;
  gone = then;
});

// On a break in another window, or off duty because the lid was closed: a desk that says “On duty”
// would wait for patients who do not come.
const duty = () =>
  /** @type {HTMLElement | null} */ (document.querySelector("[data-duty]"))?.dataset.duty;
let served = duty();
document.addEventListener("page:changed", () => {
  served = duty();
});
document.addEventListener("live:updated", () => {
  if (duty() === served || "sent" in dataset) return;
  served = duty();
  if (document.dispatchEvent(new CustomEvent("desk:moved", { cancelable: true }))) {
    location.assign("/desk");
  }
});

/** @type {WeakMap<Element, {now: string, ahead: number}>} */
const clocks = new WeakMap();

/** @param {HTMLElement} place @returns {number} the server's time now, in milliseconds */
function serverTime(place) {
  const { now = "" } = place.dataset;
  let known = clocks.get(place);
  if (!known || known.now !== now) {
    known = { now, ahead: now ? Date.parse(now) - Date.now() : 0 };
    clocks.set(place, known);
  }
  return Date.now() + known.ahead;
}

function tick() {
  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll("[data-until], [data-since]");
  for (const place of places) {
    const { until, since } = place.dataset;
    const now = serverTime(place);
    const seconds = Math.max(
      0,
      Math.round((until ? Date.parse(until) - now : now - Date.parse(since ?? "")) / 1_000),
    );
    const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (place.textContent !== text) place.textContent = text;
  }
}

tick();
setInterval(tick, 1_000);
const messages = document.getElementById("messages");
if (messages) messages.scrollTop = messages.scrollHeight;

// Escape leaves a field, so that the keys of the desk work again.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.activeElement instanceof HTMLElement) {
    document.activeElement.blur();
  }
});

enhancePictures();
