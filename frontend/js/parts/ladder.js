// How much to send. Measured on emulated links: a browser left to itself loses half the audio at
// 64 kbit/s, because it never turns the picture off.

/** @typedef {{name: "audio" | "low" | "medium" | "full", bitrate: number, scale: number, frames: number}} Rung */

/** @type {Rung[]} */
export const RUNGS = [
  { name: "audio", bitrate: 0, scale: 1, frames: 0 },
  { name: "low", bitrate: 40_000, scale: 4, frames: 5 },
  { name: "medium", bitrate: 100_000, scale: 2, frames: 10 },
  { name: "full", bitrate: 250_000, scale: 1, frames: 15 },
];

const AUDIO = 28_000; // Opus at 16 kbit/s in packets of 60 ms, with its headers
const REDUNDANT = 18_000; // what sending every packet twice adds
const USUAL_HOLD = 8;
const LONGEST_HOLD = 60;

/**
 * One second of sending, as the receiver saw it.
 * @typedef {{loss: number, roundTrip: number, available?: number}} Sample
 * `loss` from 0 to 1 over the last seconds, `roundTrip` in ms, `available` in bit/s where known
 */

/** Starts with audio alone and climbs; falls fast, climbs slowly, and slower after each fall. */
export class Ladder {
  rung = 0;
  cap = RUNGS.length - 1;
  redundant = false;
  #bad = 0;
  #good = 0;
  #hold = USUAL_HOLD;
  #sinceClimb = Infinity;
  #calm = 0;
  /** @type {number[]} */
  #roundTrips = [];

  /** Takes a sample; returns true when the rung or the redundancy has changed. @param {Sample} sample */
  take(sample) {
    const before = `${this.rung}${this.redundant}`;
    this.#roundTrips.push(sample.roundTrip);
    if (this.#roundTrips.length > 60) this.#roundTrips.shift();
    const base = Math.min(...this.#roundTrips);
    const available = sample.available ?? Infinity;
    const bad =
      sample.loss > 0.1 ||
      sample.roundTrip > base + 400 ||
      available < 0.6 * (AUDIO + RUNGS[this.rung].bitrate);
    this.#bad = bad ? this.#bad + 1 : 0;
    this.#good = bad ? 0 : this.#good + 1;
    this.#sinceClimb++;
    if (this.rung > 0 && sample.loss > 0.2 && this.#bad >= 2) this.#fall(0);
    else if (this.rung > 0 && this.#bad >= 2) this.#fall(this.rung - 1);
    else if (this.rung < this.cap && this.#good >= this.#hold) this.#climb(available);
    if (this.#sinceClimb === LONGEST_HOLD) this.#hold = USUAL_HOLD;
    this.#protect(sample.loss, available);
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
    if (this.#sinceClimb < 15) this.#hold = Math.min(this.#hold * 2, LONGEST_HOLD);
    this.rung = rung;
    this.#bad = this.#good = 0;
  }

  /** @param {number} available */
  #climb(available) {
    this.#good = 0;
    if (available < 0.6 * (AUDIO + RUNGS[this.rung + 1].bitrate)) return;
    this.rung++;
    this.#sinceClimb = 0;
  }

  /**
   * Every packet twice, when packets are lost and there is room: without a picture, and never where
   * the loss comes from a full line.
   * @param {number} loss @param {number} available
   */
  #protect(loss, available) {
    this.#calm = loss < 0.01 ? this.#calm + 1 : 0;
    const room = this.rung === 0 && available > 0.9 * (AUDIO + REDUNDANT);
    if (this.#calm >= 20 || !room) this.redundant = false;
    else if (loss > 0.03) this.redundant = true;
  }
}
