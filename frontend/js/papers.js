// Sends photos and papers one by one as they are chosen, made small on the phone before they go over
// a slow line. Works on the page of papers and in the waiting room, which keeps ringing meanwhile.
//
// <section data-papers data-largest data-text-sending data-text-added data-text-failed data-text-again
//          data-text-too-large data-text-over>
//   <form data-papers-form>   with a file input, a <p data-papers-state>
//   <form data-paper-remove>  takes one away
// <span data-over>            the consultation has ended: the section says data-text-over

import { madeSmall } from "./parts/picture.js";

// Files go up by themselves: no button is needed.
document.body.classList.add("sends-papers");

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type !== "file") return;
  const form = input.closest("form");
  if (form?.matches("[data-papers-form]") && input.files?.length) sendAll(form, [...input.files]);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form instanceof HTMLFormElement && form.matches("[data-paper-remove]")) remove(event, form);
});

let sending = 0;

// Nothing is added to a consultation that has ended while its page was open.
document.addEventListener("live:updated", () => {
  const section = /** @type {HTMLElement | null} */ (document.querySelector("[data-papers]"));
  if (!section?.dataset.textOver || sending || !document.querySelector("[data-over]")) return;
  if (!section.querySelector("form")) return;
  for (const form of section.querySelectorAll("form")) form.remove();
  const said = document.createElement("p");
  said.className = "govuk-body";
  said.textContent = section.dataset.textOver;
  section.append(said);
  // What else depends on it is looked at too.
  document.dispatchEvent(new CustomEvent("live:refresh"));
});

/** @param {HTMLFormElement} form @param {File[]} files */
async function sendAll(form, files) {
  let section = /** @type {HTMLElement} */ (form.closest("[data-papers]"));
  const texts = { ...section.dataset };
  const { action } = form;
  sending++;
  const token = String(new FormData(form).get("csrfmiddlewaretoken") ?? "");
  /** @type {string[]} */
  const problems = [];
  /** @type {File[]} */
  const unsent = [];
  let added = "";
  section.querySelector("[data-papers-again]")?.remove();
  for (const input of form.querySelectorAll("input")) input.disabled = input.type === "file";
  for (const file of files) {
    const small = await madeSmall(file);
    if (small.size > Number(texts.largest)) {
      problems.push(`${file.name}: ${texts.textTooLarge}`);
      continue;
    }
    const body = new FormData();
    body.append("csrfmiddlewaretoken", token);
    body.append("files", small, file.name);
    try {
      say(section, `${texts.textSending}: ${file.name}`);
      const answer = await post(action, body, (part) => tellPart(section, part));
      section = replaced(section, answer.responseText);
      const refused = [...section.querySelectorAll(".govuk-error-summary__list li")];
      problems.push(...refused.map((item) => item.textContent?.trim() ?? ""));
      if (answer.status === 200) added = `${texts.textAdded}: ${file.name}`;
    } catch {
      problems.push(`${file.name}: ${texts.textFailed}`);
      unsent.push(file);
    }
  }
  sending--;
  const input = section.querySelector("input[type=file]");
  if (input instanceof HTMLInputElement) {
    input.disabled = false;
    input.value = "";
  }
  say(section, problems.length ? problems.join(" ") : added, problems.length > 0);
  if (unsent.length && texts.textAgain) offerAgain(section, unsent, texts.textAgain);
}

/** A photo just taken may be nowhere else on the phone: nobody has to take it again.
 * @param {HTMLElement} section @param {File[]} files @param {string} text */
function offerAgain(section, files, text) {
  const form = /** @type {HTMLFormElement | null} */ (section.querySelector("[data-papers-form]"));
  const button = document.createElement("button");
  button.type = "button";
  button.className = "govuk-button";
  button.textContent = text;
  button.dataset.papersAgain = "";
  button.addEventListener("click", () => form && sendAll(form, files));
  form?.querySelector("[data-papers-state]")?.after(button);
}

/** Shows how much of a file has gone: a screen reader would read out every step.
 * @param {Element} section @param {number} part of a hundred */
function tellPart(section, part) {
  const place = section.querySelector("[data-papers-state]");
  let shown = place?.querySelector("span");
  if (!shown) {
    shown = document.createElement("span");
    shown.setAttribute("aria-hidden", "true");
    place?.append(shown);
  }
  shown.textContent = ` ${part} %`;
}

/** @param {Element} section @param {string} text @param {boolean} [bad] */
function say(section, text, bad = false) {
  const place = section.querySelector("[data-papers-state]");
  if (!place) return;
  place.textContent = text;
  place.classList.toggle("papers__state--bad", bad);
}

/** Puts the server's list in place of this one. @param {Element} section @param {string} html */
function replaced(section, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const next = /** @type {HTMLElement | null} */ (holder.content.querySelector("[data-papers]"));
  if (!next) throw new Error("not a list");
  section.replaceWith(next);
  return next;
}

// A link that has died says nothing; what a phone has taken over for sending goes without a word too.
const SILENT = 120_000;

/** @param {string} url @param {FormData} body @param {(part: number) => void} progress
 * @returns {Promise<XMLHttpRequest>} */
function post(url, body, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-Fragment", "1");
    /** @type {ReturnType<typeof setTimeout>} */
    let late;
    const wait = () => {
      clearTimeout(late);
      late = setTimeout(() => request.abort(), SILENT);
    };
    request.upload.onprogress = (event) => {
      wait();
      if (event.lengthComputable) progress(Math.round((100 * event.loaded) / event.total));
    };
    request.onload = () => resolve(request);
    request.onerror = request.onabort = () => reject(new Error("no link"));
    request.onloadend = () => clearTimeout(late);
    wait();
    request.send(body);
  });
}

/** @param {Event} event @param {HTMLFormElement} form */
async function remove(event, form) {
  event.preventDefault();
  const section = /** @type {HTMLElement} */ (form.closest("[data-papers]"));
  try {
    const answer = await post(form.action, new FormData(form), () => {});
    const next = replaced(section, answer.responseText);
    const input = next.querySelector("input[type=file]");
    if (input instanceof HTMLInputElement) input.focus();
  } catch {
    form.submit();
  }
}
