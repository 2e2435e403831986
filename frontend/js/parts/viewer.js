/**
 * Shows photos large where the patient stands, beside the call and the notes, which all go on.
 *
 * <a data-picture="<name>">     a photo; those of its list are the ones before and after
 * <dialog id="viewer">          see doctor/parts/viewer.html
 *
 * No dialog is opened over everything (`showModal`): the doctor writes while looking. The keys here
 * work with the cursor in the viewer or nowhere: arrows go to the next photo, or move within a large
 * one. Without this the link opens a tab.
 */
export function enhancePictures() {
  const viewer = /** @type {HTMLDialogElement | null} */ (document.getElementById("viewer"));
  if (!viewer || !("show" in viewer)) return;
  const stage = /** @type {HTMLElement} */ (viewer.querySelector(".viewer__stage"));
  const room = /** @type {HTMLElement} */ (viewer.querySelector(".viewer__room"));
  const said = /** @type {HTMLElement} */ (viewer.querySelector(".viewer__said"));
  const picture = /** @type {HTMLImageElement} */ (viewer.querySelector("img"));
  const place = /** @type {HTMLElement} */ (viewer.querySelector("[data-viewer-place]"));
  const name = /** @type {HTMLElement} */ (viewer.querySelector("[data-viewer-name]"));
  const LARGEST = 6;

  let shown = "";
  let zoom = 1;
  let turned = 0;

  /** @returns {HTMLAnchorElement | undefined} where the shown photo stands in its list */
  const link = () => pictures(document).find((one) => one.href === shown && !one.closest("[hidden]"));

  /** @param {ParentNode} list @returns {HTMLAnchorElement[]} */
  function pictures(list) {
    return [...list.querySelectorAll("a[data-picture]")].map((one) => /** @type {HTMLAnchorElement} */ (one));
  }

  /** @param {HTMLAnchorElement} at */
  function open(at) {
    // Tried again, too, when it did not come.
    if (shown !== at.href || said.textContent) {
      shown = at.href;
      zoom = 1;
      turned = 0;
      room.hidden = true;
      say(said.dataset.textLoading ?? "");
      picture.src = "";
      picture.src = shown;
    }
    tell();
    if (!viewer?.open) viewer?.show();
    settle();
    stage.focus();
  }

  /** @param {string} text */
  function say(text) {
    if (said.textContent !== text) said.textContent = text;
  }

  /** Says which of how many this is. */
  function tell() {
    const at = link();
    const all = at ? pictures(at.closest("ul") ?? document) : [];
    const words = (place.dataset.textPlace ?? "")
      .replace("{number}", String(all.findIndex((one) => one === at) + 1))
      .replace("{count}", String(all.length));
    if (place.textContent !== words) place.textContent = words;
    const title = at?.dataset.picture ?? "";
    if (name.textContent !== title) name.textContent = title;
    picture.alt = title;
    for (const button of viewer?.querySelectorAll("[data-viewer-do=before], [data-viewer-do=after]") ?? []) {
      /** @type {HTMLButtonElement} */ (button).hidden = all.length < 2;
    }
  }

  /** @param {number} step round and round */
  function go(step) {
    const at = link();
    if (!at) return;
    const all = pictures(at.closest("ul") ?? document);
    const next = all[(all.indexOf(at) + step + all.length) % all.length];
    if (next && next !== at) open(next);
  }

  function close() {
    if (!viewer?.open) return;
    const inside = viewer.contains(document.activeElement) || document.activeElement === document.body;
    viewer.close();
    picture.removeAttribute("src");
    const at = link();
    shown = "";
    if (inside) at?.focus();
  }

  /** Over the patient's column, below the call: notes and prescription stay in sight. */
  function settle() {
    if (!viewer?.open) return;
    const column = link()?.closest("section")?.getBoundingClientRect();
    if (!column) return;
    const call = document.querySelector("[data-call-room]")?.getBoundingClientRect().bottom ?? 0;
    viewer.style.top = `${Math.max(0, call) + 8}px`;
    viewer.style.right = `${Math.max(8, document.documentElement.clientWidth - column.right)}px`;
    draw();
  }

  function draw() {
    const { naturalWidth: width, naturalHeight: height } = picture;
    if (!width || room.hidden) return;
    const lies = turned % 180 !== 0;
    const [across, down] = lies ? [height, width] : [width, height];
    const fits = Math.min(stage.clientWidth / across, stage.clientHeight / down) * zoom;
    room.style.width = `${Math.floor(across * fits)}px`;
    room.style.height = `${Math.floor(down * fits)}px`;
    picture.style.width = `${Math.floor(width * fits)}px`;
    picture.style.height = `${Math.floor(height * fits)}px`;
    picture.style.transform = `translate(-50%, -50%) rotate(${turned}deg)`;
  }

  /** @param {number} to @param {number} [x] @param {number} [y] where in the photo it is looked at, in parts */
  function enlarge(to, x, y) {
    const middle = (/** @type {number} */ start, /** @type {number} */ seen, /** @type {number} */ all) =>
      (start + seen / 2) / all;
    const across = x ?? middle(stage.scrollLeft, stage.clientWidth, stage.scrollWidth);
    const down = y ?? middle(stage.scrollTop, stage.clientHeight, stage.scrollHeight);
    zoom = Math.min(LARGEST, Math.max(1, to));
    draw();
    stage.scrollLeft = across * stage.scrollWidth - stage.clientWidth / 2;
    stage.scrollTop = down * stage.scrollHeight - stage.clientHeight / 2;
  }

  /** @type {Record<string, () => void>} */
  const does = {
    before: () => go(-1),
    after: () => go(1),
    smaller: () => enlarge(zoom / 1.5),
    larger: () => enlarge(zoom * 1.5),
    turn: () => {
      turned = (turned + 90) % 360;
      draw();
    },
    close,
  };

  picture.addEventListener("load", () => {
    room.hidden = false;
    say("");
    draw();
    stage.scrollTo(0, 0);
  });
  picture.addEventListener("error", () => {
    if (picture.getAttribute("src")) say(said.dataset.textFailed ?? "");
  });
  addEventListener("online", () => {
    const at = link();
    if (viewer.open && at && said.textContent) open(at);
  });

  // Before beside.js, which opens other links.
  document.addEventListener(
    "click",
    (event) => {
      const { target } = event;
      if (!(target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const at = /** @type {HTMLAnchorElement | null} */ (target.closest("a[data-picture]"));
      const button = /** @type {HTMLElement | null} */ (target.closest("[data-viewer-do]"));
      if (at) {
        event.preventDefault();
        open(at);
      } else if (button) does[button.dataset.viewerDo ?? ""]?.();
      else if (target === picture) {
        const { left, top, width, height } = room.getBoundingClientRect();
        enlarge(zoom > 1 ? 1 : 2.5, (event.clientX - left) / width, (event.clientY - top) / height);
      }
    },
    true,
  );

  document.addEventListener(
    "keydown",
    (event) => {
      const { target, key } = event;
      if (!viewer.open || event.ctrlKey || event.altKey || event.metaKey || !(target instanceof Node)) return;
      if (!viewer.contains(target) && target !== document.body) return;
      const command = { Escape: "close", "+": "larger", "=": "larger", "-": "smaller" }[key];
      const arrow = zoom > 1 ? undefined : { ArrowLeft: "before", ArrowRight: "after" }[key];
      const what = command ?? arrow;
      if (!what) return;
      event.preventDefault();
      event.stopPropagation();
      does[what]?.();
    },
    true,
  );

  // The list was fetched again, or another page is shown: a photo that stands nowhere any more goes.
  for (const changed of ["live:updated", "page:changed"]) {
    document.addEventListener(changed, () => {
      if (!viewer.open) return;
      if (!link()) close();
      else {
        tell();
        settle();
      }
    });
  }
  addEventListener("resize", settle);
  addEventListener("scroll", settle, { passive: true });
}
