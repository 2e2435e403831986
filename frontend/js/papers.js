// Sends photos and papers one by one as they are chosen, made small on the phone before they go over
// a slow line. Works on the page of papers and in the waiting room, which keeps ringing meanwhile.
//
// <section data-papers data-largest data-text-sending data-text-added data-text-failed data-text-too-large>
//   <form data-papers-form>   with a file input, a <p data-papers-state>
//   <form data-paper-remove>  takes one away

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

/** @param {HTMLFormElement} form @param {File[]} files */
async function sendAll(form, files) {
  let section = /** @type {HTMLElement} */ (form.closest("[data-papers]"));
  const texts = { ...section.dataset };
  const { action } = form;
  const token = String(new FormData(form).get("csrfmiddlewaretoken") ?? "");
  /** @type {string[]} */
  const problems = [];
  let added = "";
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
      const answer = await post(action, body, (part) => {
        say(section, `${texts.textSending}: ${file.name} ${part} %`);
      });
      section = replaced(section, answer.responseText);
      const refused = [...section.querySelectorAll(".govuk-error-summary__list li")];
      problems.push(...refused.map((item) => item.textContent?.trim() ?? ""));
      if (answer.status === 200) added = `${texts.textAdded}: ${file.name}`;
    } catch {
      problems.push(`${file.name}: ${texts.textFailed}`);
    }
  }
  const input = section.querySelector("input[type=file]");
  if (input instanceof HTMLInputElement) {
    input.disabled = false;
    input.value = "";
  }
  say(section, problems.length ? problems.join(" ") : added, problems.length > 0);
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

/** @param {string} url @param {FormData} body @param {(part: number) => void} progress
 * @returns {Promise<XMLHttpRequest>} */
function post(url, body, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-Fragment", "1");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(Math.round((100 * event.loaded) / event.total));
    };
    request.onload = () => resolve(request);
    request.onerror = request.ontimeout = () => reject(new Error("no link"));
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
