// The microphone and the camera. The camera is asked for only when there is room for its picture.

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

export class Media {
  /** @type {MediaStreamTrack | null} */
  sound = null;
  /** @type {MediaStreamTrack | null} */
  picture = null;
  cameraOff = false;
  #facing = "user";
  /** @type {Promise<MediaStreamTrack | null> | null} */
  #asking = null;
  #onProblem;

  /** @param {(what: string) => void} onProblem hears "microphone" or "camera" and why: "-refused", "-missing", "-busy" */
  constructor(onProblem) {
    this.#onProblem = onProblem;
  }

  /** Opens the microphone; without one, the person can still listen and write. */
  async listen() {
    this.sound = await this.#open({ audio: SOUND }, "microphone");
  }

  /** Opens the camera once, or says why not; null when there is no picture to send. */
  async look() {
    if (this.cameraOff) return null;
    if (this.picture?.readyState === "live") return this.picture;
    this.#asking ??= this.#open(
      {
        video: {
          width: { ideal: 640 },
          height: { ideal: 480 },
          frameRate: { ideal: 15, max: 30 },
          facingMode: this.#facing,
        },
      },
      "camera",
    );
    this.picture = await this.#asking;
    if (this.picture) this.#asking = null;
    return this.picture;
  }

  /** @param {boolean} off */
  mute(off) {
    if (this.sound) this.sound.enabled = !off;
  }

  /** Turns the camera off, its light too, or lets it be asked for again. @param {boolean} off */
  turnCameraOff(off) {
    this.cameraOff = off;
    this.#asking = null;
    this.picture?.stop();
    this.picture = null;
  }

  /** Front or back: the next `look` opens the other one. */
  turnAround() {
    this.#facing = this.#facing === "user" ? "environment" : "user";
    this.turnCameraOff(false);
  }

  end() {
    this.sound?.stop();
    this.picture?.stop();
  }

  /** @param {MediaStreamConstraints} constraints @param {"microphone" | "camera"} device */
  async #open(constraints, device) {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(constraints);
      return stream.getTracks()[0];
    } catch (error) {
      const name = error instanceof Error ? error.name : "";
      const why = name.includes("NotAllowed") ? "refused" : name.includes("NotReadable") ? "busy" : "missing";
      this.#onProblem(`${device}-${why}`);
      return null;
    }
  }
}
