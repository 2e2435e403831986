// The waiting room, and the strip of a spoke's cases on its other pages: keeps the screen awake, and
// makes sure that nobody misses the turn.
//
// <main data-wake-lock>                               the screen stays on
// <section data-call-now="<which>" data-title="..." data-icon="/static/...">   rings while it is on
//                                                     the page
// <h1 data-moved-to="/url">                           the patient waits there now: go there
// <b data-deadline="<instant>" data-now="<instant>">  counts down; data-now corrects the phone's clock
// <form data-insist="/url">  is sent until it arrives, at the latest until the deadline; then the page goes there
// <p data-insist-told data-text-sending data-text-offline data-text-late>   how far it is with that
// <button data-silence>  stops the ringing            <button data-try-ring>  one ring, to try
// <p role="alert" data-stage-told>   tells a screen reader the heading that has changed by itself
// <p data-silent hidden>  shows while the browser lets the page make no sound
// <section data-turns>    the strip: it takes the place of no page that somebody fills in
// <a data-turn target="_blank">   to a case; where nothing can be typed, in this tab
// <p data-turn-beside>    says that it opens beside this page

const AGAIN = 3_000;
const PATIENCE = 15_000; // for one answer: on a poor line it may be lost on its way

/** @type {AudioContext | undefined} */
let audio;
/** @type {WakeLockSentinel | undefined} */
let lock;
/** Which calls are on the page. @type {Set<string>} */
let calls = new Set();
/** The form that was pressed and has not arrived. @type {HTMLFormElement | undefined} */
let pressed;
let sending = false;
/** @type {"" | "sending" | "offline" | "late"} */
let told = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
let silenced = false;
/** This page is being left for the one where the patient waits now. */
let leaving = false;
let title = document.title;
let wanted = false;
const icon = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon]"));
const usualIcon = icon?.href ?? "";
/** @type {WeakMap<HTMLElement, {now: string | undefined, ahead: number}>} */
const clocks = new WeakMap();

/** Two tones, as a telephone rings. */
function ring() {
  navigator.vibrate?.([400, 200, 400]);
  if (!audio || audio.state !== "running") return;
  for (const [start, pitch] of [
    [0, 880],
    [0.4, 660],
  ]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    const at = audio.currentTime + start;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.4, at + 0.03);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.35);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.4);
  }
}

/** Browsers let a page sound only after it, or the one that led to it, was touched. */
function allowSound() {
  audio ??= "AudioContext" in window ? new AudioContext() : undefined;
  return audio?.resume();
}

/** Whoever would wait for a sound that cannot come is told to touch the page. */
function tellWhetherSilent() {
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-silent]"));
  const silent = Boolean(audio) && audio?.state !== "running";
  if (place && place.hidden === silent) place.hidden = !silent;
}

function countDown() {
  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll("[data-deadline]");
  for (const place of places) {
    const left = secondsLeft(place);
    const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left >= 0 && place.textContent !== text) place.textContent = text;
  }
}

/** @param {HTMLElement} place */
function secondsLeft(place) {
  const { deadline = "", now } = place.dataset;
  let clock = clocks.get(place);
  if (!clock || clock.now !== now) {
    clock = { now, ahead: now ? Date.now() - Date.parse(now) : 0 };
    clocks.set(place, clock);
  }
  return Math.max(0, Math.ceil((Date.parse(deadline) + clock.ahead - Date.now()) / 1_000));
}

/** Sends what was pressed, again and again while there is no link: the server takes it once. */
async function insist() {
  clearTimeout(retry);
  const form = pressed;
  if (!form || sending) return;
  sending = true;
  told ||= "sending";
  tell();
  try {
    await send(form);
    pressed = undefined;
  } catch {
    const deadline = /** @type {HTMLElement | null | undefined} */ (
      form.closest("[data-call-now]")?.querySelector("[data-deadline]")
    );
    told = deadline && !secondsLeft(deadline) ? "late" : "offline";
    if (told === "late") pressed = undefined;
    else retry = setTimeout(insist, AGAIN);
  }
  sending = false;
  tell();
}

/** @param {HTMLFormElement} form */
async function send(form) {
  const onward = form.dataset.insist ?? "";
  // It did arrive, though no answer came, or its time is over: the page has been told meanwhile.
  if (!form.isConnected) return location.assign(onward);
  const abort = new AbortController();
  const late = setTimeout(() => abort.abort(), PATIENCE);
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/problem+json" },
      redirect: "manual",
      signal: abort.signal,
    });
    if (answer.type === "opaqueredirect") return location.assign(onward);
    // A sign-in page of the network's own, or a service in trouble: as good as no link.
    const ours = answer.headers.has("X-Request-ID");
    if (!ours || answer.status >= 500 || answer.status === 429) throw new Error("no service");
  } finally {
    clearTimeout(late);
  }
  // Refused: the server says why on a page of its own.
  form.submit();
}

function tell() {
  const place = document.querySelector("[data-insist-told]");
  const text = (told && place?.getAttribute(`data-text-${told}`)) || "";
  if (place && place.textContent !== text) place.textContent = text;
}

/** What the page's heading says of the stage. */
const stage = () => document.querySelector("[data-live-src] h1")?.textContent?.trim() ?? "";
let knownStage = stage();

/** Who does not see the page must hear that it is another one now. */
function tellStage() {
  const now = stage();
  if (!now || now === knownStage) return;
  knownStage = now;
  const place = document.querySelector("[data-stage-told]");
  if (place) place.textContent = now;
  // “The doctor is calling” is not true any more for whom it called in vain.
  title = [now, ...title.split(" – ").slice(1)].join(" – ");
  if (!calls.size) document.title = title;
}

function notice() {
  const moved = /** @type {HTMLElement | null} */ (document.querySelector("[data-moved-to]"));
  if (moved && !leaving) {
    // Once: asked again every second, a slow link would begin anew each time and never arrive.
    leaving = true;
    location.replace(moved.dataset.movedTo ?? "");
  }
  tellStage();
  noticeCalls();
  countDown();
  prepareTurns();
  tellWhetherSilent();
  tell();
}

function noticeCalls() {
  const shown = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-call-now]")]);
  const which = shown.map((call) => call.dataset.callNow ?? "");
  const fresh = shown.find((call) => !calls.has(call.dataset.callNow ?? ""));
  if (!fresh && which.length === calls.size) return;
  if (!calls.size) title = document.title;
  calls = new Set(which);
  if (!pressed) told = "";
  const call = fresh ?? shown[0];
  document.title = call?.dataset.title || title;
  if (icon) icon.href = call?.dataset.icon || usualIcon;
  document.documentElement.classList.toggle("rings", Boolean(call?.closest("[data-turns]")));
  if (fresh) {
    silenced = false;
    // Whoever was writing further down must see the button. The strip stays in sight by itself.
    if (!fresh.closest("[data-turns]")) fresh.scrollIntoView({ block: "start" });
    ring();
  } else if (!call) navigator.vibrate?.(0);
}

/** What is typed on a page must not be lost to a call of another patient. */
function prepareTurns() {
  const typing = "main input:not([type=hidden]), main textarea, main select";
  const beside = Boolean(document.querySelector(typing));
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const links = document.querySelectorAll("[data-turn]");
  for (const link of links) if (!beside && link.target) link.removeAttribute("target");
  /** @type {NodeListOf<HTMLElement>} */
  const said = document.querySelectorAll("[data-turn-beside]");
  for (const note of said) if (note.hidden === beside) note.hidden = !beside;
  const wants = Boolean(document.querySelector("[data-wake-lock]"));
  if (wants === wanted) return;
  wanted = wants;
  if (wants) allowSound();
  stayAwake();
}

async function stayAwake() {
  if (document.hidden) return;
  if (!document.querySelector("[data-wake-lock]")) {
    lock?.release();
    return;
  }
  try {
    if (!lock || lock.released) lock = await navigator.wakeLock?.request("screen");
  } catch {
    // A low battery refuses; the ringing remains.
  }
}

const speaking = () => document.querySelector("[data-call-room]") !== null;
let ticks = 0;
setInterval(() => {
  notice();
  // Where somebody speaks with a doctor, the turn of another patient rings once.
  if (!calls.size || silenced || (speaking() && !calls.has(""))) return;
  if (++ticks % 3 === 0) ring();
}, 1_000);
document.addEventListener("live:updated", notice);
document.addEventListener("visibilitychange", stayAwake);
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.insist === undefined) return;
  event.preventDefault();
  silenced = true;
  navigator.vibrate?.(0);
  pressed = form;
  insist();
});
addEventListener("online", insist);
document.addEventListener("pointerdown", allowSound);
document.addEventListener("keydown", allowSound);
document.addEventListener("click", async (event) => {
  if (!(event.target instanceof Element)) return;
  if (event.target.closest("[data-silence]")) {
    silenced = true;
    navigator.vibrate?.(0);
  }
  if (event.target.closest("[data-try-ring]")) {
    await allowSound();
    ring();
  }
});
notice();
