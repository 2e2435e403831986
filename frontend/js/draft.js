// Keeps what is being typed: on the server a few seconds after a change, on this device until the
// server has it, so that a lost link or an expired sign-in loses nothing.
//
// <form data-draft="/url" data-kept="..." data-kept-here="...">   with a <p data-draft-state>
// <div data-draft-done="/url">                                    the form arrived: forget the copy

import { fill } from "./parts/fill.js";

const PAUSE = 4_000;
const AGAIN = 15_000;
const PATIENCE = 30_000; // for one answer: a link that has died says nothing
// A borrowed phone must not keep it for long.
const KEPT_FOR = 2 * 3_600_000;

const done = /** @type {HTMLElement | null} */ (document.querySelector("[data-draft-done]"));
if (done) forget(done.dataset.draftDone ?? "");

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-draft]"));
if (form) keep(form);
// A spoke's tablet shows the answer to the form in place (outbox.js). What was refused is not in the
// server's draft: it goes there now.
document.addEventListener("answer:shown", (event) => {
  const { detail } = /** @type {CustomEvent<Element>} */ (event);
  const shown = /** @type {HTMLFormElement | null} */ (detail.querySelector("form[data-draft]"));
  if (shown) keep(shown, true);
});

/** @param {string} key */
function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // Private windows may refuse; then nothing was kept either.
  }
}

/** @param {HTMLFormElement} form @param {boolean} [changed] it holds what the server does not have */
function keep(form, changed = false) {
  const url = form.dataset.draft ?? "";
  const state = form.querySelector("[data-draft-state]");
  /** @type {number | undefined} */
  let timer;
  let changes = 0;
  // One after the other: of two on their way the older could arrive last, and stay.
  let sending = false;

  const note = () => {
    changes++;
    store(form, url);
    clearTimeout(timer);
    if (!sending) timer = setTimeout(send, PAUSE);
  };
  form.addEventListener("input", note);
  form.addEventListener("change", note);
  if (restore(form, url) || changed) note();

  async function send() {
    // Another form stands in its place.
    if (!form.isConnected) return;
    const seen = changes;
    let arrived = false;
    sending = true;
    const abort = new AbortController();
    const late = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const answer = await fetch(url, {
        method: "POST",
        body: new FormData(form),
        redirect: "manual",
        signal: abort.signal,
      });
      arrived = answer.status === 204;
    } catch {
      // No link: said below.
    }
    clearTimeout(late);
    sending = false;
    const said = (arrived ? form.dataset.kept : form.dataset.keptHere) ?? "";
    // A screen reader would say it at every pause in typing.
    if (state && state.textContent !== said) state.textContent = said;
    if (arrived && seen === changes) forget(url);
    else timer = setTimeout(send, arrived ? PAUSE : AGAIN);
  }
}

/** @param {HTMLFormElement} form @param {string} key */
function store(form, key) {
  const values = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  try {
    localStorage.setItem(key, JSON.stringify({ at: Date.now(), values }));
  } catch {
    // Full or refused: the server's copy remains.
  }
}

/** Puts back what has not arrived; says whether there was something.
 * @param {HTMLFormElement} form @param {string} key */
function restore(form, key) {
  /** @type {{at: number, values: [string, string][]} | null} */
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return false;
  }
  if (!kept || Date.now() - kept.at > KEPT_FOR) {
    forget(key);
    return false;
  }
  fill(form, kept.values);
  return true;
}
