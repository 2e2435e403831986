// Keeps in this tab what stands in the forms of a page while the page is away: for another language,
// for signing in anew, or because something else on it was pressed. What has a draft keeps itself.
import { fill } from "./fill.js";

const KEY = "typed";
// Somebody else may hold the phone by then.
const KEPT_FOR = 30 * 60_000;
const SIGN_IN = /^\/(sign-in|staff\/(sign-in|post))(\/|$)/;
const UNKEPT = ["hidden", "password", "file", "submit", "button", "reset"];

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */
/** @typedef {{name: string, sent: boolean, values: [string, string][]}} Kept a form */

export function keepTyped() {
  const signsIn = SIGN_IN.test(location.pathname);
  /** @type {WeakSet<EventTarget>} */
  const sent = new WeakSet();
  let translated = false;
  if (signsIn) expect();
  else restore();
  addEventListener("submit", (event) => {
    if (!event.defaultPrevented && event.target) sent.add(event.target);
  });
  addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest(".language__choice");
    translated = Boolean(link) && !event.defaultPrevented;
  });
  addEventListener("pagehide", () => {
    if (!signsIn) store(sent, translated);
  });
}

/** @returns {HTMLFormElement[]} */
const forms = () => [...document.querySelectorAll(/** @type {"form"} */ ("form[data-reader]"))];

/** @param {HTMLFormElement} form @returns {string} the same on the page that comes */
function nameOf(form) {
  const action = form.getAttribute("action");
  return `${action} ${forms().filter((one) => one.getAttribute("action") === action).indexOf(form)}`;
}

/** @param {HTMLFormElement} form @returns {Field[]} */
function fieldsOf(form) {
  return /** @type {Field[]} */ ([...form.elements]).filter(
    ({ name, type, autocomplete }) =>
      name && type && !UNKEPT.includes(type) && autocomplete !== "one-time-code",
  );
}

/** @param {Field} field */
function isChosen(field) {
  return !/^(radio|checkbox)$/.test(field.type) || /** @type {HTMLInputElement} */ (field).checked;
}

/** @param {Field} field */
function isChanged(field) {
  if (field instanceof HTMLSelectElement) return [...field.options].some((one) => one.selected !== one.defaultSelected);
  if (/^(radio|checkbox)$/.test(field.type)) {
    const { checked, defaultChecked } = /** @type {HTMLInputElement} */ (field);
    return checked !== defaultChecked;
  }
  return field.value !== field.defaultValue;
}

/** @param {WeakSet<EventTarget>} sent @param {boolean} translated */
function store(sent, translated) {
  /** @type {Kept[]} */
  const kept = [];
  let reader;
  for (const form of forms()) {
    // A tablet's forms are kept sealed (outbox.js), until another language is asked for.
    if ("draft" in form.dataset || "typed" in form.dataset) continue;
    if ("outbox" in form.dataset && !translated) continue;
    const fields = fieldsOf(form);
    // What was refused is not stored anywhere either.
    if (!fields.some(isChanged) && !form.querySelector(".govuk-error-message:not([hidden])")) continue;
    const values = fields.filter(isChosen).map(({ name, value }) => [name, value]);
    kept.push({ name: nameOf(form), sent: sent.has(form), values: /** @type {any} */ (values) });
    reader = form.dataset.reader;
  }
  const { pathname: path } = location;
  write(kept.length ? { path, at: Date.now(), reader, anew: false, forms: kept } : null);
}

/** On the way through the sign-in: what was sent has not arrived. */
function expect() {
  const kept = read();
  write(kept && { ...kept, anew: true });
}

function restore() {
  const kept = read();
  write(null);
  if (!kept || kept.path !== location.pathname || Date.now() - kept.at > KEPT_FOR) return;
  for (const form of forms()) {
    const own = kept.forms.find((/** @type {Kept} */ { name }) => name === nameOf(form));
    // Nobody else reads it.
    if (own && form.dataset.reader === kept.reader && (kept.anew || !own.sent)) fill(form, own.values);
  }
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** @param {object | null} kept */
function write(kept) {
  try {
    if (kept) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Private windows may refuse; then nothing is kept.
  }
}
