/**
 * Changes `from` until its content looks like that of `to`, touching only what differs: focus, typed
 * text, scroll positions and open keyboards stay, and screen readers hear only what changed.
 * @param {Node} from
 * @param {Node} to
 * @param {Element | null} [running] inside `from`: what a script keeps in motion gets new words only
 */
export function morph(from, to, running) {
  let next = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    let match = next;
    if (wanted instanceof Element && wanted.id) {
      match = [...from.childNodes].find((node) => alike(node, wanted)) ?? null;
    }
    if (!match || !alike(match, wanted)) {
      from.insertBefore(wanted, next);
    } else {
      if (match === next) next = next.nextSibling;
      else from.insertBefore(match, next);
      if (match === running) {
        reword(running, /** @type {Element} */ (wanted));
        continue;
      }
      if (match instanceof Element) copyAttributes(match, /** @type {Element} */ (wanted));
      else if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue;
      morph(match, wanted, running);
    }
  }
  while (next) {
    const after = next.nextSibling;
    next.parentNode?.removeChild(next);
    next = after;
  }
}

/** @param {Node} one @param {Node} other */
function alike(one, other) {
  return (
    one.nodeName === other.nodeName &&
    /** @type {Element} */ (one).id === /** @type {Element} */ (other).id
  );
}

/** @param {Element} element @param {Element} wanted */
function copyAttributes(element, wanted) {
  for (const { name } of [...element.attributes]) {
    // What the reader opened stays open; what other scripts marked as theirs stays marked.
    if (!wanted.hasAttribute(name) && name !== "open" && !name.endsWith("-init")) {
      element.removeAttribute(name);
    }
  }
  for (const { name, value } of wanted.attributes) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
}

const WORDS = /^(aria-label|title|placeholder|alt|data-key-label|data-text-.+)$/;

/**
 * Puts the words of `wanted`, the same in another language, into `element`; what scripts did to it
 * stays: what is pressed, hidden, shown, and which of its own texts (`data-text-…`) it says.
 * @param {Element} element
 * @param {Element} wanted
 */
function reword(element, wanted) {
  for (const { name, value } of wanted.attributes) {
    const was = element.getAttribute(name);
    if (!WORDS.test(name) || was === value) continue;
    element.setAttribute(name, value);
    if (was && name.startsWith("data-text-") && element.textContent === was) element.textContent = value;
  }
  const parts = [...element.childNodes];
  // What a script filled has no counterpart.
  if (parts.length !== wanted.childNodes.length) return;
  wanted.childNodes.forEach((counterpart, index) => {
    const part = parts[index];
    if (part instanceof Element && counterpart instanceof Element) {
      if (alike(part, counterpart)) reword(part, counterpart);
    } else if (part instanceof Text && counterpart instanceof Text) {
      part.nodeValue = counterpart.nodeValue;
    }
  });
}
