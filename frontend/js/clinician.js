// Clinicians' pages: partial updates by htmx, and work by keyboard.
import htmx from "htmx.org";
import { enhanceKeys } from "./parts/keys.js";

// The content security policy allows neither inline styles nor evaluated code.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
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
