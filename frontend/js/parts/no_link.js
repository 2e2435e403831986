// Says beside a form that there is no connection: nothing was sent, and what was typed is still there.

/** @param {HTMLFormElement} form @param {HTMLElement | null} submitter */
export function sayNoLink(form, submitter) {
  for (const said of form.querySelectorAll("[data-no-link]")) said.remove();
  const words = document.createElement("p");
  words.className = "govuk-error-message";
  words.setAttribute("role", "alert");
  words.dataset.noLink = "";
  words.textContent = document.body.dataset.textNoLink ?? "";
  (submitter ?? form.lastElementChild)?.before(words);
}
