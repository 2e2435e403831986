// A call: two people, at most three, from page to page.
//
// <meta name="live-gateway" content="https://host">
// <section data-call-room data-call-ticket-url="/url"   answers {"ticket", "expires", "ice": {...}}
//          data-call-auto>                              joins at once; without it a button does
//   <p data-call-status data-text-waiting data-text-connecting data-text-connected
//      data-text-reconnecting data-text-unreachable data-text-relay-refused data-text-ended
//      data-text-elsewhere data-text-closed data-text-refused data-text-unsupported>
//   <p data-call-notice data-text-audio data-text-low data-text-medium data-text-full
//      data-text-microphone-refused data-text-microphone-missing data-text-microphone-busy
//      data-text-camera-refused data-text-camera-missing data-text-camera-busy
//      data-text-tap-to-hear data-text-offer-phone data-text-not-sent>
//   <b data-call-quality data-text-good data-text-fair data-text-poor>
//   <div data-call-remotes></div> <video data-call-local></video>
//   <button data-call-join> <button data-call-mute> <button data-call-camera>
//   <button data-call-turn> <button data-call-picture> <button data-call-large> <button data-call-leave>
//   <form data-call-act>               sent without leaving the page; answers may say X-Go (load that)
//                                      and X-Link (shown in <p data-call-link hidden><input>)
//   <div data-call-mode="video | low_video | audio | chat | phone | off">   what the server allows
// </section>
//
// Dispatches on the document: call:state {state}, call:rung {seat, rung, reason},
// call:problem {what}, call:offer-phone; and live:refresh when something was sent.
import { RUNGS } from "./parts/ladder.js";
import { Media } from "./parts/media.js";
import { Peer } from "./parts/peer.js";
import { Signalling } from "./parts/signalling.js";

const CAPS = /** @type {Record<string, number>} */ ({ video: 3, low_video: 1, audio: 0 });
const QUALITY = 30_000;
const APART = 1_100; // the gateway takes one sample a second
const POOR_SECONDS = 10;

class Call {
  /** @type {Map<string, Peer>} */
  peers = new Map();
  /** @type {Signalling | undefined} */
  signalling;
  #root;
  #media = new Media(
    (what) => this.#notice(what, "problem"),
    (device) => this.#renewed(device),
  );
  /** What the notice says. */
  #noticed = "";
  #cap = 3;
  #state = "";
  #poor = 0;
  #toldAt = 0;
  /** @type {Map<string, {at: number, sees: string}>} */
  #told = new Map();
  /** @type {HTMLButtonElement | null} */
  #pressed = null;
  /** The server allowed no call; when it does again, the page joins by itself. */
  #fallen = false;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    root.addEventListener("click", (event) => this.#clicked(event));
    root.addEventListener("submit", (event) => this.#act(event));
    // A browser lets a page sound once it is touched; a telephone call stops its sound.
    for (const touch of ["click", "keydown", "visibilitychange"]) {
      document.addEventListener(touch, () => this.#hear());
    }
    document.addEventListener("live:updated", () => this.#obey());
    this.#obey();
    if (root.dataset.callAuto !== undefined) this.join();
  }

  async join() {
    if (this.signalling) return;
    if (!("RTCPeerConnection" in window) || !navigator.mediaDevices?.getUserMedia) {
      this.#show("unsupported");
      return;
    }
    this.#show("connecting");
    const instance = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    const gateway = document.querySelector("meta[name=live-gateway]")?.getAttribute("content");
    const media = this.#media;
    await media.listen();
    // Left, or joined by another press, while the person was asked for the microphone.
    if (media !== this.#media || this.signalling) return;
    this.signalling = new Signalling(
      gateway ?? "",
      this.#root.dataset.callTicketUrl ?? "",
      instance,
      (message) => this.#take(message),
      (state) => (state === "down" ? this.#showState() : this.leave(state)),
    );
    this.#obey();
    this.#ticking = setInterval(() => this.#tick(), 1_000);
  }

  /** @param {string} state why */
  leave(state = "ended") {
    clearInterval(this.#ticking);
    this.signalling?.end();
    this.signalling = undefined;
    for (const seat of [...this.peers.keys()]) this.#part(seat);
    const next = this.#media.renewed();
    this.#media.end();
    this.#media = next;
    this.#showOwnPicture();
    this.#rungs.clear();
    // What was said of the call is not true any more.
    this.#unnotice(() => true);
    this.#show(state);
  }

  /** @param {import("./parts/signalling.js").Message} message */
  #take(message) {
    if (message.kind === "welcome") message.peers.forEach((/** @type {any} */ one) => this.#meet(one));
    else if (message.kind === "joined") this.#meet(/** @type {any} */ (message));
    else if (message.kind === "left") {
      if (message.bye && this.peers.get(message.seat)?.instance === message.instance) {
        this.#part(message.seat);
      }
    } else if (this.peers.get(message.from)?.instance === message.instance) {
      this.peers.get(message.from)?.take(message);
    }
    this.#showState();
  }

  /** @param {import("./parts/peer.js").Arrival} arrival */
  #meet(arrival) {
    const known = this.peers.get(arrival.seat);
    if (known?.instance === arrival.instance) {
      known.rejoined();
      return;
    }
    if (known) this.#part(arrival.seat);
    const peer = new Peer(
      arrival,
      this.signalling?.given?.ice ?? {},
      (message) => this.signalling?.send(message),
      this.#media,
      this.#cap,
    );
    this.peers.set(arrival.seat, peer);
    peer.addEventListener("state", () => this.#showState());
    peer.addEventListener("media", () => this.#showMedia(peer));
    peer.addEventListener("sample", () => this.#judge(peer));
    peer.addEventListener("problem", (event) =>
      this.#show(/** @type {CustomEvent} */ (event).detail, "problem"),
    );
    peer.addEventListener("rung", (event) =>
      this.#stepped(peer, /** @type {CustomEvent} */ (event).detail),
    );
  }

  /** @param {string} seat */
  #part(seat) {
    this.peers.get(seat)?.close();
    this.peers.delete(seat);
    for (const element of this.#root.querySelectorAll(`[data-seat="${seat}"]`)) element.remove();
  }

  #tick() {
    for (const peer of this.peers.values()) peer.tick(this.signalling?.open ?? false);
  }

  #obey() {
    /** @type {HTMLElement | null} */
    const place = this.#root.querySelector("[data-call-mode]") ?? document.querySelector("[data-call-mode]");
    if (place) this.#limit(place.dataset.callMode ?? "");
  }

  /** @param {string} mode */
  #limit(mode) {
    this.#root.hidden = mode === "off";
    if (!(mode in CAPS)) {
      this.#fallen = true;
      if (this.signalling) this.leave("ended");
      return;
    }
    if (this.#cap !== CAPS[mode]) {
      this.#cap = CAPS[mode];
      this.#media.keepUnseen(!this.#cap);
      for (const peer of this.peers.values()) peer.limit(this.#cap);
      this.#showOwnPicture();
    }
    if (!this.#fallen) return;
    this.#fallen = false;
    this.join();
  }

  /** @type {Map<string, string>} */
  #rungs = new Map();

  /** @param {Peer} peer @param {"automatic" | "asked"} reason */
  #stepped(peer, reason) {
    // The last step of one who has gone meanwhile.
    if (this.peers.get(peer.seat) !== peer) return;
    const rung = RUNGS[peer.ladder.rung].name;
    this.#showOwnPicture();
    if (this.#rungs.get(peer.seat) === rung) return;
    this.#rungs.set(peer.seat, rung);
    const stepped = { detail: { seat: peer.seat, rung, reason } };
    if (reason === "automatic") this.#notice(rung, "rung", stepped.detail);
    else {
      // Chosen, or without a camera: it is not the line that has to allow it.
      this.#unnotice((what) => RUNGS.some(({ name }) => name === what));
      document.dispatchEvent(new CustomEvent("call:rung", stepped));
    }
    this.#report(peer, reason);
  }

  /** @param {Peer} peer */
  #judge(peer) {
    const { round_trip_ms: roundTrip, concealed } = peer.quality;
    this.#poor = roundTrip > 1_000 || concealed > 0.1 ? this.#poor + 1 : 0;
    if (this.#poor === POOR_SECONDS) this.#notice("offer-phone", "offer-phone");
    const { loss, sees } = peer.quality;
    const poor = loss > 0.1 || concealed > 0.1 || roundTrip > 800;
    const fair = loss > 0.03 || roundTrip > 400;
    write(this.#root.querySelector("[data-call-quality]"), poor ? "poor" : fair ? "fair" : "good");
    const told = this.#told.get(peer.seat);
    const news = sees !== told?.sees || Date.now() - told.at >= QUALITY;
    if (news && Date.now() - this.#toldAt > APART) this.#report(peer, "");
  }

  /** @param {Peer} peer @param {string} reason */
  #report(peer, reason) {
    if (!this.signalling?.open) return;
    this.#toldAt = Date.now();
    this.#told.set(peer.seat, { at: this.#toldAt, sees: peer.quality.sees });
    this.signalling.send({
      kind: "quality",
      peer: peer.seat,
      rung: RUNGS[peer.ladder.rung].name,
      reason,
      ...peer.quality,
    });
  }

  #showState() {
    if (!this.signalling) return;
    const peers = [...this.peers.values()];
    if (!peers.length) this.#show("waiting");
    else if (peers.some((peer) => peer.connected)) this.#show("connected");
    else if (["connected", "reconnecting"].includes(this.#state)) this.#show("reconnecting");
    else if (!["unreachable", "relay-refused"].includes(this.#state)) this.#show("connecting");
  }

  /** @param {string} state @param {string} [event] */
  #show(state, event = "state") {
    if (state === this.#state) return;
    this.#state = state;
    this.#root.dataset.callState = state;
    write(this.#root.querySelector("[data-call-status]"), state);
    document.dispatchEvent(
      new CustomEvent(`call:${event}`, { detail: event === "state" ? { state } : { what: state } }),
    );
  }

  /** @param {string} what @param {string} event @param {object} [detail] */
  #notice(what, event, detail = { what }) {
    // Who is not heard has to know it as long as it is so.
    const unheard = this.#noticed.startsWith("microphone") && !this.#media.sound;
    if (!unheard || (event !== "rung" && !what.startsWith("camera"))) {
      this.#noticed = what;
      write(this.#root.querySelector("[data-call-notice]"), what);
    }
    document.dispatchEvent(new CustomEvent(`call:${event}`, { detail }));
  }

  /** Takes the notice away that is not true any more. @param {(what: string) => boolean} untrue */
  #unnotice(untrue) {
    if (!untrue(this.#noticed)) return;
    this.#noticed = "";
    say(this.#root.querySelector("[data-call-notice]"), "");
  }

  /** A microphone or a camera went or came in mid-call. @param {"microphone" | "camera"} device */
  #renewed(device) {
    if (device === "camera") {
      this.#showOwnPicture();
      this.#unnotice((what) => what.startsWith(device));
      this.#again();
      return;
    }
    if (this.#media.sound) this.#unnotice((what) => what.startsWith(device));
    for (const peer of this.peers.values()) peer.speak();
  }

  #hear() {
    if (document.hidden) return;
    for (const element of this.#root.querySelectorAll("audio")) {
      if (!element.paused) continue;
      element.play().then(() => this.#unnotice((what) => what === "tap-to-hear"), () => undefined);
    }
  }

  /** @param {Peer} peer */
  #showMedia(peer) {
    for (const kind of /** @type {const} */ (["audio", "video"])) {
      let element = /** @type {HTMLVideoElement | HTMLAudioElement | null} */ (
        this.#root.querySelector(`${kind}[data-seat="${peer.seat}"]`)
      );
      if (!element) {
        element = document.createElement(kind);
        element.autoplay = true;
        element.dataset.seat = peer.seat;
        if (element instanceof HTMLVideoElement) element.playsInline = element.muted = true;
        this.#root.querySelector("[data-call-remotes]")?.append(element);
      }
      const stream = peer.streams[kind];
      if (element.srcObject !== stream) {
        element.srcObject = stream;
        element.play().catch((error) => {
          if (error.name === "NotAllowedError") this.#notice("tap-to-hear", "problem");
        });
      }
      if (kind === "video") element.dataset.picture = peer.pictured ? "on" : "off";
    }
  }

  #showOwnPicture() {
    const video = /** @type {HTMLVideoElement | null} */ (
      this.#root.querySelector("video[data-call-local]")
    );
    if (!video) return;
    const { picture } = this.#media;
    const shown = video.srcObject instanceof MediaStream ? video.srcObject.getTracks()[0] : null;
    if (shown !== picture) video.srcObject = picture ? new MediaStream([picture]) : null;
    video.hidden = !picture;
  }

  /** @param {SubmitEvent} event */
  async #act(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.callAct === undefined) return;
    event.preventDefault();
    const body = new FormData(form);
    if (this.#pressed?.name) body.set(this.#pressed.name, this.#pressed.value);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body,
        headers: { "X-Fragment": "1", Accept: "application/problem+json" },
        redirect: "manual",
      });
      if (!answer.ok) {
        const { title } = await answer.json();
        this.#noticed = "refused";
        say(this.#root.querySelector("[data-call-notice]"), title);
        return;
      }
      const go = answer.headers.get("X-Go");
      if (go) location.assign(go);
      const link = answer.headers.get("X-Link");
      if (link) this.#offer(link);
      document.dispatchEvent(new CustomEvent("live:refresh"));
    } catch {
      this.#notice("not-sent", "problem");
    }
  }

  /** @param {string} link to the third seat */
  #offer(link) {
    const place = /** @type {HTMLElement | null} */ (this.#root.querySelector("[data-call-link]"));
    const field = place?.querySelector("input");
    if (!place || !field) return;
    place.hidden = false;
    field.value = link;
    field.select();
    const given = navigator.share ? navigator.share({ url: link }) : navigator.clipboard?.writeText(link);
    given?.catch(() => undefined);
  }

  async #again() {
    for (const peer of this.peers.values()) {
      peer.ladder.limit(this.#cap);
      await peer.apply("asked");
    }
  }

  /** @param {Event} event */
  #clicked(event) {
    if (!(event.target instanceof Element)) return;
    const button = event.target.closest("button");
    const { dataset } = button ?? {};
    this.#pressed = button;
    if (!button || !dataset) return;
    if ("callJoin" in dataset) this.join();
    if ("callLeave" in dataset) this.leave();
    if ("callMute" in dataset) this.#media.mute(toggled(button));
    if ("callCamera" in dataset) {
      this.#media.turnCameraOff(toggled(button));
      this.#again();
    }
    if ("callTurn" in dataset) {
      this.#media.turnAround();
      this.#again();
    }
    if ("callLarge" in dataset) this.#root.toggleAttribute("data-large", toggled(button));
    if ("callPicture" in dataset) {
      const video = /** @type {HTMLVideoElement | null} */ (this.#root.querySelector("video[data-seat]"));
      if (document.pictureInPictureElement) document.exitPictureInPicture();
      else video?.requestPictureInPicture?.().catch(() => undefined);
    }
  }
}

/** @param {HTMLButtonElement} button */
function toggled(button) {
  const pressed = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(pressed));
  return pressed;
}

/** @param {Element | null} place @param {string} name */
function write(place, name) {
  const text = place?.getAttribute(`data-text-${name}`);
  if (text != null) say(place, text);
}

/** @param {Element | null} place @param {string} text */
function say(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}

/** @type {NodeListOf<HTMLElement>} */
const places = document.querySelectorAll("[data-call-room]");
for (const place of places) new Call(place);
