// The microphone and the camera. The camera is asked for only when there is room for its picture.

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

export class Media {
  /** @type {MediaStreamTrack | null} */
  sound = null;
  /** @type {MediaStreamTrack | null} */
  picture = null;
  cameraOff = false;
  /** Both agreed to sound only. */
  #unseen = false;
  #muted = false;
  #facing = "user";
  /** @type {Promise<MediaStreamTrack | null> | undefined} */
  #listening;
  /** @type {Promise<MediaStreamTrack | null> | null} */
  #asking = null;
  #ended = false;
  #onProblem;
  #onChange;
  /** Why there is none: what is missing or busy now may come. @type {Record<string, string>} */
  #lacking = {};

  /**
   * @param {(what: string) => void} onProblem hears "microphone" or "camera" and why: "-refused", "-missing", "-busy"
   * @param {(device: "microphone" | "camera") => void} [onChange] hears that one went or came while in use
   */
  constructor(onProblem, onChange) {
    this.#onProblem = onProblem;
    this.#onChange = onChange;
    navigator.mediaDevices?.addEventListener?.("devicechange", this.#devicesChanged);
  }

  /** Opens the microphone; without one, the person can still listen and write. */
  async listen() {
    const listening = (this.#listening ??= this.#open({ audio: SOUND }, "microphone"));
    const sound = await listening;
    if (listening !== this.#listening) return;
    this.sound = sound;
    // Asked for anew, it may be there.
    if (!sound) this.#listening = undefined;
    this.mute(this.#muted);
  }

  /**
   * Opens the camera once, or says why not; null when there is no picture to send.
   * @returns {Promise<MediaStreamTrack | null>}
   */
  async look() {
    if (this.cameraOff || this.#unseen) return null;
    if (this.picture?.readyState === "live") return this.picture;
    if (this.picture) this.#asking = null;
    const asking = (this.#asking ??= this.#open(
      {
        video: {
          width: { ideal: 640 },
          height: { ideal: 480 },
          frameRate: { ideal: 15, max: 30 },
          facingMode: this.#facing,
        },
      },
      "camera",
    ));
    const picture = await asking;
    if (asking !== this.#asking) {
      // Turned off or around while the person was asked: its light must not stay on.
      picture?.stop();
      return this.look();
    }
    return (this.picture = picture);
  }

  /** @param {boolean} off */
  mute(off) {
    this.#muted = off;
    if (this.sound) this.sound.enabled = !off;
  }

  /** Turns the camera off, its light too, or lets it be asked for again. @param {boolean} off */
  turnCameraOff(off) {
    this.cameraOff = off;
    this.#asking = null;
    this.picture?.stop();
    this.picture = null;
  }

  /** Lets nobody be filmed while both agreed to sound only; its light goes out too. @param {boolean} unseen */
  keepUnseen(unseen) {
    this.#unseen = unseen;
    if (unseen) this.turnCameraOff(this.cameraOff);
  }

  /** Front or back: the next `look` opens the other one, if the camera is on. */
  turnAround() {
    this.#facing = this.#facing === "user" ? "environment" : "user";
    this.turnCameraOff(this.cameraOff);
  }

  /** Another for the next call. Who was muted or unseen stays so: the buttons still say it. */
  renewed() {
    const next = new Media(this.#onProblem, this.#onChange);
    next.cameraOff = this.cameraOff;
    next.#unseen = this.#unseen;
    next.#muted = this.#muted;
    next.#facing = this.#facing;
    return next;
  }

  /** Lets go of both, also of what the person is still asked for. */
  end() {
    this.#ended = true;
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.#devicesChanged);
    this.sound?.stop();
    this.turnCameraOff(true);
  }

  /** @param {MediaStreamConstraints} constraints @param {"microphone" | "camera"} device */
  async #open(constraints, device) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      const [track] = stream.getTracks();
      if (this.#ended) track.stop();
      delete this.#lacking[device];
      // Unplugged, or forbidden in mid-call; `stop` of ours is not heard here.
      track.addEventListener("ended", () => this.#lost(device, track));
      return track;
    } catch (error) {
      if (this.#ended) return null;
      const name = error instanceof Error ? error.name : "";
      const why = name.includes("NotAllowed") ? "refused" : name.includes("NotReadable") ? "busy" : "missing";
      this.#lacking[device] = why;
      this.#onProblem(`${device}-${why}`);
      return null;
    }
  }

  /**
   * Another microphone takes the place of one that has gone; what takes the camera's is found by the
   * next `look`. Without another, `onProblem` hears of it.
   * @param {"microphone" | "camera"} device @param {MediaStreamTrack} track
   */
  #lost(device, track) {
    if (this.#ended || (track !== this.sound && track !== this.picture)) return;
    this.#renew(device);
  }

  #devicesChanged = () => {
    for (const device of /** @type {const} */ (["microphone", "camera"])) {
      // Who refused is not asked at every plug.
      if (["missing", "busy"].includes(this.#lacking[device])) this.#renew(device);
    }
  };

  /** @param {"microphone" | "camera"} device */
  async #renew(device) {
    if (device === "camera") this.turnCameraOff(this.cameraOff);
    else {
      // Without one, it is being asked for already.
      if (this.sound) this.#listening = undefined;
      this.sound = null;
      await this.listen();
    }
    if (!this.#ended) this.#onChange?.(device);
  }
}
