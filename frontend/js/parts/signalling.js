// The socket to the gateway: pings, reconnects, and is never mistaken about being alive.

const PING = 1_500;
const DEAD = 5_000;
const OPENING = 4_000;
const MOST_QUEUED = 100;
/** Close codes after which one does not come back, and what to tell the page. */
const FINAL = /** @type {Record<number, "elsewhere" | "closed">} */ ({ 4001: "elsewhere", 4004: "closed" });

/** @typedef {{ticket: string, expires: number, ice?: RTCConfiguration}} Given what the ticket address answers */
/** @typedef {Record<string, any> & {kind: string}} Message */

export class Signalling {
  /** @type {Given | undefined} */
  given;
  open = false;
  #gateway;
  #ticketUrl;
  #instance;
  #onMessage;
  #onState;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {Message[]} */
  #queue = [];
  #expires = 0;
  #heard = 0;
  #opened = 0;
  #attempts = 0;
  #ended = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #again;
  #ticking;

  /**
   * @param {string} gateway @param {string} ticketUrl @param {string} instance
   * @param {(message: Message) => void} onMessage
   * @param {(state: "down" | "elsewhere" | "closed" | "refused") => void} onState
   */
  constructor(gateway, ticketUrl, instance, onMessage, onState) {
    this.#gateway = gateway.replace(/^http/, "ws");
    this.#ticketUrl = ticketUrl;
    this.#instance = instance;
    this.#onMessage = onMessage;
    this.#onState = onState;
    this.#ticking = setInterval(() => this.#tick(), PING);
    addEventListener("online", this.#retry);
    document.addEventListener("visibilitychange", this.#tick);
    this.#connect();
  }

  /** Sends now, or on reconnection where that still makes sense. @param {Message} message */
  send(message) {
    if (this.open) this.#socket?.send(JSON.stringify(message));
    else if (message.kind === "candidate" && this.#queue.length < MOST_QUEUED) {
      this.#queue.push(message);
    }
  }

  /** Leaves for good. */
  end() {
    this.send({ kind: "bye" });
    this.#end();
  }

  #end() {
    this.#ended = true;
    clearInterval(this.#ticking);
    clearTimeout(this.#again);
    removeEventListener("online", this.#retry);
    document.removeEventListener("visibilitychange", this.#tick);
    this.#drop();
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = undefined;
    this.open = false;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #retry = () => {
    if (this.#ended) return;
    this.#drop();
    this.#onState("down");
    this.#connect();
  };

  #tick = () => {
    const now = Date.now();
    if (!this.#socket) return;
    if (this.open ? now - this.#heard > DEAD : now - this.#opened > OPENING) this.#retry();
    else if (this.open && this.#expires - now < 20_000) this.#retry();
    else this.send({ kind: "ping" });
  };

  async #connect() {
    clearTimeout(this.#again);
    if (this.#ended) return;
    const attempt = ++this.#attempts;
    try {
      if (this.#expires - Date.now() < 30_000) await this.#ask();
    } catch {
      this.#later();
      return;
    }
    if (this.#ended || attempt !== this.#attempts || !this.given) return;
    const ticket = encodeURIComponent(this.given.ticket);
    const address = `${this.#gateway}/live/room?ticket=${ticket}&instance=${this.#instance}`;
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#opened = Date.now();
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    socket.onclose = (event) => {
      const state = FINAL[event.code];
      // Refused, or run out: the next attempt asks for a new ticket.
      if (!this.open || event.code === 4003) this.#expires = 0;
      this.#drop();
      if (state) this.#end();
      this.#onState(state ?? "down");
      this.#later();
    };
  }

  async #ask() {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 8_000);
    try {
      const answer = await fetch(this.#ticketUrl, {
        headers: { Accept: "application/json" },
        cache: "no-store",
        signal: abort.signal,
      });
      if (answer.redirected || [401, 403, 404, 410].includes(answer.status)) {
        this.#end();
        this.#onState("refused");
        return;
      }
      // Too many asked, or a service in trouble: what it says of that is no ticket.
      if (!answer.ok) throw new Error(String(answer.status));
      const given = /** @type {Given} */ (await answer.json());
      this.given = given;
      this.#expires = Date.now() + given.expires * 1_000;
    } finally {
      clearTimeout(timer);
    }
  }

  #tries = 0;

  #later() {
    if (this.#ended) return;
    const wait = Math.min(300 * 1.6 ** this.#tries++, 2_500) * (0.7 + Math.random() * 0.6);
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#connect(), wait);
  }

  /** @param {Message} message */
  #take(message) {
    this.#heard = Date.now();
    if (message.kind === "welcome") {
      this.open = true;
      this.#tries = 0;
      this.#onMessage(message);
      for (const queued of this.#queue.splice(0)) this.send(queued);
    } else if (message.kind !== "pong") {
      this.#onMessage(message);
    }
  }
}
