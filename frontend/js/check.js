// The check before a call: microphone, camera, speaker, line; under half a minute, one after another.
//
// <form data-check data-small="/url">      is sent at the end; its hidden inputs take the results
//   <li data-step="microphone" data-text-works data-text-unheard ...>  with a <span data-result>
//   <meter>  the microphone's level         <video>  the own picture
//   <div data-asks hidden> <button value="works"> <button value="unheard"></div>   the speaker's question
// <button data-begin>
import { Media } from "./parts/media.js";

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-check]"));
const LISTEN = 5_000;
const LOUD = 0.02;

/** @param {string} step @param {string} result */
function tell(step, result) {
  const place = form?.querySelector(`[data-step=${step}]`);
  const said = place?.querySelector("[data-result]");
  if (place) place.setAttribute("data-state", result);
  if (said) said.textContent = place?.getAttribute(`data-text-${result}`) ?? "";
  const field = /** @type {HTMLInputElement | null | undefined} */ (
    form?.querySelector(`input[name=${step}]`)
  );
  if (field && result !== "now") field.value = result;
}

/** @param {Media} media @returns {Promise<string>} */
async function hear(media) {
  await media.listen();
  if (!media.sound) return problem;
  const audio = new AudioContext();
  await audio.resume();
  const analyser = audio.createAnalyser();
  audio.createMediaStreamSource(new MediaStream([media.sound])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const meter = form?.querySelector("meter");
  const until = performance.now() + LISTEN;
  let loud = 0;
  while (performance.now() < until && loud < 5) {
    analyser.getFloatTimeDomainData(samples);
    const level = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    if (meter) meter.value = Math.min(1, level * 8);
    if (level > LOUD) loud++;
    await new Promise((done) => setTimeout(done, 100));
  }
  audio.close();
  return loud >= 5 ? "works" : "unheard";
}

/** @param {Media} media @returns {Promise<string>} */
async function see(media) {
  const picture = await media.look();
  const video = form?.querySelector("video");
  if (!picture || !video) return problem;
  video.srcObject = new MediaStream([picture]);
  video.hidden = false;
  await video.play().catch(() => undefined);
  return "works";
}

/** Two tones, and the question whether they were heard. @returns {Promise<string>} */
async function sound() {
  const audio = new AudioContext();
  await audio.resume();
  const volume = audio.createGain();
  volume.gain.value = 0.2;
  volume.connect(audio.destination);
  for (const [at, pitch] of [[0, 660], [0.5, 880]]) {
    const tone = audio.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(volume);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.4);
  }
  const asks = /** @type {HTMLElement | null} */ (form?.querySelector("[data-asks]") ?? null);
  if (!asks) return "untried";
  asks.hidden = false;
  asks.querySelector("button")?.focus();
  const answer = await new Promise((done) => {
    asks.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (button) done(button.value);
    });
  });
  asks.hidden = true;
  audio.close();
  return answer;
}

/** How much gets through in a few seconds, as the rung that it is good for. @returns {Promise<string>} */
async function line() {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 6_000);
  const started = performance.now();
  let bytes = 0;
  try {
    const answer = await fetch(`${form?.dataset.small}?${Math.random()}`, {
      cache: "no-store",
      signal: abort.signal,
    });
    const reader = answer.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      bytes += part.value.length;
    }
  } catch {
    // Cut off after six seconds: what has come says enough.
  }
  clearTimeout(timer);
  const kilobits = (bytes * 8) / Math.max(1, performance.now() - started);
  return kilobits > 400 ? "full" : kilobits > 200 ? "medium" : kilobits > 100 ? "low" : "audio";
}

let problem = "missing";

async function begin() {
  const media = new Media((what) => {
    problem = what.split("-")[1];
  });
  const able = navigator.mediaDevices && "AudioContext" in window;
  /** @type {[string, () => Promise<string>][]} */
  const steps = [
    ["microphone", () => hear(media)],
    ["camera", () => see(media)],
    ["speaker", sound],
    ["link", line],
  ];
  for (const [step, work] of steps) {
    tell(step, "now");
    problem = "missing";
    const result = able || step === "link" ? await work().catch(() => problem) : "missing";
    tell(step, result);
  }
  media.end();
  form?.removeAttribute("data-running");
  form?.setAttribute("data-done", "");
  const done = /** @type {HTMLElement | null | undefined} */ (form?.querySelector("[data-finish]"));
  if (done) {
    done.hidden = false;
    done.focus();
  }
}

document.querySelector("[data-begin]")?.addEventListener("click", (event) => {
  /** @type {HTMLElement} */ (event.currentTarget).hidden = true;
  form?.setAttribute("data-running", "");
  begin();
});
