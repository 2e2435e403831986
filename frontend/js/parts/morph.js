/**
 * Changes `from` until its content looks like that of `to`, touching only what differs: focus, typed
 * text, scroll positions and open keyboards stay, and screen readers hear only what changed.
 * @param {Node} from
 * @param {Node} to
 */
export function morph(from, to) {
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
      if (match instanceof Element) copyAttributes(match, /** @type {Element} */ (wanted));
      else if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue;
      morph(match, wanted);
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
