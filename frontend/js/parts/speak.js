/**
 * Reads a prompt aloud in the language of the page, for those who do not read. The buttons stay
 * hidden on devices that have no voice for that language: a wrong accent misleads.
 * @param {Document | Element} place
 */
export function enhanceSpeakers(place) {
  /** @type {NodeListOf<HTMLButtonElement>} */
  const buttons = place.querySelectorAll("button[data-speak]");
  if (!buttons.length || !("speechSynthesis" in window)) return;

  /** @param {string} language */
  const voiceFor = (language) =>
    window.speechSynthesis
      .getVoices()
      .find((voice) => voice.lang.toLowerCase().replace("_", "-").split("-")[0] === language);

  const show = () => {
    for (const button of buttons) {
      const language = languageOf(button);
      button.hidden = !voiceFor(language);
    }
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      const speaking = button.getAttribute("aria-pressed") === "true";
      window.speechSynthesis.cancel();
      if (speaking) return;
      const language = languageOf(button);
      const utterance = new SpeechSynthesisUtterance(button.dataset.speak);
      const voice = voiceFor(language);
      if (voice) utterance.voice = voice;
      utterance.lang = `${language}-IN`;
      utterance.rate = 0.9;
      const stopped = () => button.setAttribute("aria-pressed", "false");
      utterance.addEventListener("end", stopped);
      utterance.addEventListener("error", stopped);
      button.setAttribute("aria-pressed", "true");
      window.speechSynthesis.speak(utterance);
    });
  }

  // Voices arrive late on most phones.
  window.speechSynthesis.addEventListener?.("voiceschanged", show);
  show();
}

/** @param {HTMLElement} element */
function languageOf(element) {
  const holder = /** @type {HTMLElement | null} */ (element.closest("[lang]"));
  return (holder?.lang || "en").split("-")[0];
}
