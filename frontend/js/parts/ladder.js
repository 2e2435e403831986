// How much to send. Measured on emulated links: a browser left to itself loses half the audio at
// 64 kbit/s, because it never turns the picture off.

/** @typedef {{name: "audio" | "low" | "medium" | "full", bitrate: number, scale: number, frames: number}} Rung */

/** @type {Rung[]} */
export const RUNGS = [
  { name: "audio", bitrate: 0, scale: 1, frames: 0 },
  { name: "low", bitrate: 40_000, scale: 4, frames: 5 },
  { name: "medium", bitrate: 100_000, scale: 2, frames: 12 },
  { name: "full", bitrate: 250_000, scale: 1, frames: 15 },
];

const AUDIO = 28_000; // Opus at 16 kbit/s in packets of 60 ms, with its headers
const REDUNDANT = 18_000; // what sending every packet twice adds
const USUAL_HOLD = 8; // seconds, as all that follow
const LONGEST_HOLD = 60;
const SHORTEST_DWELL = 30;
const LONGEST_DWELL = 240;
export const WINDOW = 4; // over which loss is counted: at 60 ms a packet, one second holds sixteen

/**
 * One second of sending, as the receiver saw it.
 * @typedef {{loss: number, fresh: boolean, roundTrip: number, available?: number}} Sample
 * `loss` from 0 to 1 over the last seconds, `fresh` when the receiver has told it just now, `roundTrip` in ms, `available` in bit/s where known
 */

/** Starts with audio alone and climbs; falls fast, climbs slowly, and slower after each fall. */
export class Ladder {
  rung = 0;
  cap = RUNGS.length - 1;
  /** Every packet of sound twice. */
  redundant = false;
  #bad = 0;
  #good = 0;
  #hold = USUAL_HOLD;
  #sinceClimb = Infinity;
  #loss = 0;
  #wait = USUAL_HOLD; // the bursts of joining say nothing about the line
  #dwell = SHORTEST_DWELL;
  /** @type {number[]} */
  #roundTrips = [];

  /** Takes a sample; returns true when the rung or the redundancy has changed. @param {Sample} sample */
  take(sample) {
    const before = `${this.rung}${this.redundant}`;
    this.#roundTrips.push(sample.roundTrip);
    if (this.#roundTrips.length > 60) this.#roundTrips.shift();
    const slow = sample.roundTrip > Math.min(...this.#roundTrips) + 400;
    const available = sample.available ?? Infinity;
    const narrow = this.rung > 0 && available < 0.6 * (AUDIO + RUNGS[this.rung].bitrate);
    const bad = sample.loss > 0.1 || slow || narrow;
    this.#bad = bad ? this.#bad + 1 : 0;
    this.#good = bad ? 0 : this.#good + 1;
    this.#sinceClimb++;
    if (this.#bad >= 2) this.#fall(sample.loss > 0.2 ? 0 : this.rung - 1);
    else if (this.rung < this.cap) this.#climb(available);
    if (this.#sinceClimb === LONGEST_HOLD) this.#hold = USUAL_HOLD;
    if (sample.fresh) this.#protect(sample.loss, available, slow);
    return before !== `${this.rung}${this.redundant}`;
  }

  /** Nobody may climb beyond; returns true when the rung had to change. @param {number} cap */
  limit(cap) {
    this.cap = cap;
    if (this.rung <= cap) return false;
    this.rung = cap;
    return true;
  }

  /** @param {number} rung */
  #fall(rung) {
    if (!this.rung) return;
    if (this.#sinceClimb < 15) this.#hold = Math.min(this.#hold * 2, LONGEST_HOLD);
    this.rung = rung;
    this.#bad = this.#good = 0;
  }

  /**
   * An estimate made while little is sent stays low on a good line too: it delays a climb, and does
   * not forbid it.
   * @param {number} available
   */
  #climb(available) {
    const need = AUDIO + (this.redundant ? REDUNDANT : 0) + RUNGS[this.rung + 1].bitrate;
    const doubtful = available < need;
    // Where packets are lost and the line seems narrow, speech has what there is.
    if (doubtful && this.redundant) return;
    if (this.#good < this.#hold * (doubtful ? 3 : 1)) return;
    this.#good = 0;
    this.#sinceClimb = 0;
    this.rung++;
  }

  /**
   * Redundancy hides single losses, and makes a full line worse: it goes when it does harm, and
   * stays away longer each time. For sound alone the browser's estimate is of no use: random loss
   * drives it below what plainly gets through.
   * @param {number} loss @param {number} available @param {boolean} slow
   */
  #protect(loss, available, slow) {
    const { bitrate } = RUNGS[this.rung];
    const room = !bitrate || available > 0.8 * (AUDIO + REDUNDANT + bitrate);
    if (this.#wait-- > 0) return;
    this.#loss += (loss - this.#loss) / 6;
    if (!this.redundant) {
      if (this.#loss < 0.03 || slow || !room) return;
      this.redundant = true;
      this.#wait = WINDOW;
    } else if (loss > 0.2) {
      this.redundant = false;
      this.#wait = this.#dwell = Math.min(this.#dwell * 2, LONGEST_DWELL);
    } else if (this.#loss < 0.01 || !room) {
      this.redundant = false;
      this.#wait = USUAL_HOLD;
    }
  }
}
