// Puts back into a form what was typed into it.

/** @param {HTMLFormElement} form @param {[string, string][]} values */
export function fill(form, values) {
  for (const part of form.elements) {
    if (
      !(part instanceof HTMLTextAreaElement) &&
      !(part instanceof HTMLInputElement) &&
      !(part instanceof HTMLSelectElement)
    ) {
      continue;
    }
    if (part.type === "hidden") continue;
    const given = values.filter(([name]) => name === part.name).map(([, value]) => value);
    if (part instanceof HTMLInputElement && ["checkbox", "radio"].includes(part.type)) {
      part.checked = given.includes(part.value);
    } else if (given.length) {
      part.value = given[0];
    }
  }
}
