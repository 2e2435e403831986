// The waiting room: keeps the screen awake, and makes sure that nobody misses the turn.
//
// <main data-wake-lock>                               the screen stays on
// <section data-call-now data-title="..." data-icon="/static/...">   rings while it is on the page
// <h1 data-moved-to="/url">                           the patient waits there now: go there
// <b data-deadline="<instant>" data-now="<instant>">  counts down; data-now corrects the phone's clock
// <button data-silence>  stops the ringing            <button data-try-ring>  one ring, to try

/** @type {AudioContext | undefined} */
let audio;
/** @type {WakeLockSentinel | undefined} */
let lock;
let calling = false;
let silenced = false;
const title = document.title;
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

/** Browsers let a page sound only after it was touched. */
function allowSound() {
  audio ??= "AudioContext" in window ? new AudioContext() : undefined;
  return audio?.resume();
}

function countDown() {
  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll("[data-deadline]");
  for (const place of places) {
    const { deadline = "", now } = place.dataset;
    let clock = clocks.get(place);
    if (!clock || clock.now !== now) {
      clock = { now, ahead: now ? Date.now() - Date.parse(now) : 0 };
      clocks.set(place, clock);
    }
    const left = Math.max(0, Math.ceil((Date.parse(deadline) + clock.ahead - Date.now()) / 1_000));
    const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (left >= 0 && place.textContent !== text) place.textContent = text;
  }
}

function notice() {
  const moved = /** @type {HTMLElement | null} */ (document.querySelector("[data-moved-to]"));
  if (moved) location.replace(moved.dataset.movedTo ?? "");
  const call = /** @type {HTMLElement | null} */ (document.querySelector("[data-call-now]"));
  if (Boolean(call) !== calling) {
    calling = Boolean(call);
    silenced = false;
    document.title = call?.dataset.title || title;
    if (icon) icon.href = call?.dataset.icon || usualIcon;
    if (call) {
      // Whoever was writing further down must see the button.
      call.scrollIntoView({ block: "start" });
      ring();
    } else navigator.vibrate?.(0);
  }
  countDown();
}

async function stayAwake() {
  if (document.hidden || !document.querySelector("[data-wake-lock]")) return;
  try {
    if (!lock || lock.released) lock = await navigator.wakeLock?.request("screen");
  } catch {
    // A low battery refuses; the ringing remains.
  }
}

let ticks = 0;
setInterval(() => {
  notice();
  if (calling && !silenced && ++ticks % 3 === 0) ring();
}, 1_000);
document.addEventListener("live:updated", notice);
document.addEventListener("visibilitychange", stayAwake);
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
stayAwake();
