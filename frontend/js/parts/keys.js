/**
 * Keyboard work: an element with `data-key="n"` is clicked (or focused, when it is a field) by that
 * key, and `?` opens the sheet that lists all keys. Keys are silent while someone types, and with
 * Ctrl, Alt or Meta, so that they never take a browser's or a screen reader's shortcut. They can be
 * switched off in the sheet (WCAG 2.1.4), for those who speak to their computer.
 */
export function enhanceKeys() {
  const sheet = /** @type {HTMLDialogElement | null} */ (document.getElementById("keys"));
  const toggle = sheet?.querySelector("input[type=checkbox]");
  const allowed = () => localStorage.getItem("keys") !== "off";
  if (toggle instanceof HTMLInputElement) {
    toggle.checked = allowed();
    toggle.addEventListener("change", () =>
      localStorage.setItem("keys", toggle.checked ? "on" : "off"),
    );
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    // A key held down is pressed once: the page that it leads to has keys of its own.
    if (event.repeat) return;
    if (isTyping(event.target) || !allowed()) return;
    if (event.key === "?" && sheet) {
      event.preventDefault();
      openSheet(sheet);
      return;
    }
    // A photo stands beside the desk, whose keys go on.
    if (document.querySelector("dialog[open]:not(.viewer)")) return;
    const target = [...document.querySelectorAll("[data-key]")].find(
      (element) =>
        /** @type {HTMLElement} */ (element).dataset.key === event.key.toLowerCase() &&
        !element.closest("[hidden]") &&
        getComputedStyle(element).display !== "none",
    );
    if (!(target instanceof HTMLElement) || target.matches(":disabled")) return;
    event.preventDefault();
    if (isTyping(target)) target.focus();
    else target.click();
  });

  for (const opener of document.querySelectorAll("[data-opens-keys]")) {
    opener.addEventListener("click", (event) => {
      if (!sheet) return;
      event.preventDefault();
      openSheet(sheet);
    });
  }
}

/** @param {HTMLDialogElement} sheet */
function openSheet(sheet) {
  const list = sheet.querySelector("dl");
  if (list) {
    list.replaceChildren(
      ...[...document.querySelectorAll("[data-key]")].flatMap((element) => {
        const { key, keyLabel } = /** @type {HTMLElement} */ (element).dataset;
        const term = document.createElement("dt");
        const keyboard = document.createElement("kbd");
        keyboard.textContent = key ?? "";
        term.append(keyboard);
        const description = document.createElement("dd");
        description.textContent = keyLabel ?? element.textContent?.trim() ?? "";
        return [term, description];
      }),
    );
  }
  if (!sheet.open) sheet.showModal();
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])"))
  );
}
