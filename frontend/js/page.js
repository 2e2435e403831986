// Every page: what GOV.UK Frontend adds to forms, and our own small helps. Pages work without it.
import { Button, Checkboxes, ErrorSummary, Radios, SkipLink, createAll } from "govuk-frontend";
import { enhanceSpeakers } from "./parts/speak.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(Button, { preventDoubleClick: true });
createAll(Checkboxes);
createAll(ErrorSummary);
createAll(Radios);
createAll(SkipLink);
enhanceSpeakers();

/** @type {NodeListOf<HTMLButtonElement>} */
const printers = document.querySelectorAll("button[data-print]");
for (const button of printers) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
