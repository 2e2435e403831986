// Sends a message without leaving the page: the ring and the screen's wake lock live on it.
//
// <div data-chat-messages>                           shows what was written; <p data-chat-over> in it:
//                                                    nothing more can be
// <form data-chat data-failed data-signed-out>       with a <p data-chat-error hidden>
// <div data-chat-until-sent>                         is true until something was sent
import { morph } from "./parts/morph.js";

for (const form of document.querySelectorAll("form[data-chat]")) {
  if (form instanceof HTMLFormElement) form.addEventListener("submit", (event) => send(event, form));
}

document.addEventListener("live:updated", () => {
  if (!document.querySelector("[data-chat-over]")) return;
  for (const form of document.querySelectorAll("form[data-chat]")) {
    // Words that cannot be sent any more can still be read.
    if (form instanceof HTMLFormElement && !written(form).text.value) form.remove();
  }
});

const WAIT = 30_000; // for the answer to a message; it can be sent again, and is one

/** @param {SubmitEvent} event @param {HTMLFormElement} form */
async function send(event, form) {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button[type=submit]"));
  if (button.disabled) return;
  button.disabled = true;
  tell(form, "");
  const said = written(form).text.value;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), WAIT);
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Fragment": "1", Accept: "text/html, application/problem+json;q=0.9" },
      redirect: "manual",
      signal: abort.signal,
    });
    if (answer.status === 201) await sent(form, answer, said);
    else tell(form, await reason(answer, form));
  } catch {
    tell(form, form.dataset.failed ?? "");
  }
  clearTimeout(timer);
  button.disabled = false;
}

/** @param {HTMLFormElement} form */
const written = (form) =>
  /** @type {Record<string, HTMLInputElement>} */ (/** @type {unknown} */ (form.elements));

/** @param {HTMLFormElement} form @param {Response} answer @param {string} said what was sent */
async function sent(form, answer, said) {
  await shown(answer);
  document.querySelector("[data-chat-until-sent]")?.remove();
  const { text, client_key: key } = written(form);
  // What was typed meanwhile is the next message.
  if (text.value === said) text.value = "";
  key.value = answer.headers.get("X-Next-Key") ?? key.value;
  text.focus();
}

/** @param {Response} answer */
async function shown(answer) {
  const place = document.querySelector("[data-chat-messages]");
  const template = document.createElement("template");
  template.innerHTML = await answer.text();
  // A screen reader hears what is new, and not all of it again.
  if (place) morph(place, template.content);
  const list = place?.querySelector("[data-live-tail]");
  if (list) list.scrollTop = list.scrollHeight;
}

/** @param {Response} answer @param {HTMLFormElement} form */
async function reason(answer, form) {
  if (answer.headers.get("Content-Type")?.includes("problem+json")) {
    return (await answer.json()).title;
  }
  const signedOut = answer.type === "opaqueredirect";
  return (signedOut ? form.dataset.signedOut : form.dataset.failed) ?? "";
}

/** @param {HTMLFormElement} form @param {string} text */
function tell(form, text) {
  const place = /** @type {HTMLElement | null} */ (form.querySelector("[data-chat-error]"));
  if (!place) return;
  place.textContent = text;
  place.hidden = !text;
}
