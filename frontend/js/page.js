// Every page: what GOV.UK Frontend adds to forms, and our own small helps. Pages work without it.
import { Button, Checkboxes, ErrorSummary, Radios, SkipLink, createAll } from "govuk-frontend";
import { enhanceSpeakers } from "./parts/speak.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(SkipLink);
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
