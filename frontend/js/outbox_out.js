// Signing out at a spoke's tablet: asks first when something entered would be lost.
//
// <form data-outbox-out="Lost: {}. Go on?">
import { leave, own } from "./parts/box.js";

/** @type {NodeListOf<HTMLFormElement>} */
const forms = document.querySelectorAll("form[data-outbox-out]");
if ("serviceWorker" in navigator && window.indexedDB) {
  for (const form of forms) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const { length } = await own();
        const question = form.dataset.outboxOut ?? "";
        if (length && !confirm(question.replace("{}", String(length)))) return;
        await leave();
      } catch {
        // Whatever the tablet refuses, signing out must work; what stays is sealed.
      }
      form.submit();
    });
  }
}
