// Every page: what GOV.UK Frontend adds to forms, and our own small helps. Pages work without it.
import { Button, Checkboxes, ErrorSummary, Radios, SkipLink, createAll } from "govuk-frontend";
import { sayNoLink } from "./parts/no_link.js";
import { enhanceSpeakers } from "./parts/speak.js";
import { keepTyped } from "./parts/typed.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(SkipLink);
// Before what shows itself by what is chosen.
keepTyped();
enhance(document);
// A spoke's tablet shows the answer to a form in place: see outbox.js.
document.addEventListener("answer:shown", (event) => {
  enhance(/** @type {CustomEvent<Element>} */ (event).detail);
});

/** @param {Document | Element} place */
function enhance(place) {
  createAll(Button, { preventDoubleClick: true }, place);
  createAll(Checkboxes, undefined, place);
  createAll(ErrorSummary, undefined, place);
  createAll(Radios, undefined, place);
  enhanceSpeakers(place);
}

/** @type {NodeListOf<HTMLButtonElement>} */
const printers = document.querySelectorAll("button[data-print]");
for (const button of printers) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Without a connection the browser would show a page of its own instead of what was typed. On the
// window, so that scripts which send forms themselves come first.
addEventListener("submit", async (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (event.defaultPrevented || navigator.onLine || form.method !== "post") return;
  event.preventDefault();
  const { submitter } = event;
  try {
    // A browser may call itself offline and reach the service all the same.
    await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(3_000) });
    if (submitter instanceof HTMLButtonElement && submitter.name) {
      form.append(Object.assign(document.createElement("input"), {
        type: "hidden", name: submitter.name, value: submitter.value,
      }));
    }
    form.submit();
  } catch {
    sayNoLink(form, submitter);
  }
});
addEventListener("online", () => {
  for (const said of document.querySelectorAll("[data-no-link]")) said.remove();
});
