// Clinicians' pages: partial updates by htmx, and work by keyboard.
import htmx from "htmx.org";
import { enhanceKeys } from "./parts/keys.js";

// The content security policy allows neither inline styles nor evaluated code.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
// A link that hangs would hold up all that comes after it, without a word.
htmx.config.timeout = 15_000;
// A refused form (422) is a page part to show, not a failure.
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "422", swap: true },
  { code: "[45]..", swap: false, error: true },
];

document.addEventListener("page:changed", (event) => {
  htmx.process(/** @type {CustomEvent} */ (event).detail);
});

enhanceKeys();
