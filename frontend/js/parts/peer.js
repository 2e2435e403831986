// One connection to one page of one seat: W3C's perfect negotiation, and what to send on it.
import { Ladder, RUNGS, WINDOW } from "./ladder.js";

/** @typedef {import("./signalling.js").Message} Message */
/** @typedef {{seat: string, instance: string, polite: boolean}} Arrival */
/** @typedef {{at: number, received: number, lost: number, echo: number, held: number}} Word what both tell each other every second */

const RESTART = 6_000;
const UNREACHABLE = 20_000;
const RESEND = 5_000;
const UNANSWERED = 10_000;
const SMALL = 200; // lines of a picture

export class Peer extends EventTarget {
  ladder = new Ladder();
  /** Apart, because an element that awaits a picture plays no sound. */
  streams = { audio: new MediaStream(), video: new MediaStream() };
  /** Whether a moving picture arrives. */
  pictured = false;
  quality = { loss: 0, concealed: 0, round_trip_ms: 0, relayed: false, sees: "" };
  /** @type {RTCPeerConnection} */
  connection;
  seat;
  instance;
  #polite;
  #send;
  #media;
  /** @type {RTCDataChannel | undefined} */
  #words;
  /** @type {RTCRtpTransceiver | undefined} */
  #sound;
  /** @type {RTCRtpTransceiver | undefined} */
  #picture;
  #ready = false;
  #making = false;
  #answering = false;
  #ignoring = false;
  #id = 0;
  #taken = 0;
  #sentAt = 0;
  /** @type {number | undefined} the last description that the peer has not acknowledged */
  #unacknowledged;
  #work = Promise.resolve();
  #born = Date.now();
  #lostAt = Date.now();
  #restartedAt = 0;
  #told = false;
  /** @type {Word[]} */
  #heard = [];
  #heardAt = 0;
  #got = { received: 0, lost: 0, samples: 0, concealed: 0, frames: 0 };
  #still = 0;
  #redundant = false;
  #answered = false;
  #deferred = false;

  /**
   * @param {Arrival} arrival @param {RTCConfiguration} ice
   * @param {(message: Message) => void} send @param {import("./media.js").Media} media
   * @param {number} cap the highest rung
   */
  constructor(arrival, ice, send, media, cap) {
    super();
    this.seat = arrival.seat;
    this.instance = arrival.instance;
    this.#polite = arrival.polite;
    this.#media = media;
    this.#send = send;
    this.ladder.limit(cap);
    const connection = new RTCPeerConnection({ ...ice, bundlePolicy: "max-bundle" });
    this.connection = connection;
    connection.onnegotiationneeded = () => this.#offer();
    connection.onicecandidate = ({ candidate }) => this.#tell("candidate", { candidate });
    connection.onicecandidateerror = ({ errorCode }) => {
      if (errorCode === 401) this.#happened("problem", "relay-refused");
    };
    connection.onconnectionstatechange = () => this.#changed();
    connection.ontrack = ({ track }) => {
      this.streams[/** @type {"audio" | "video"} */ (track.kind)].addTrack(track);
      this.#happened("media");
    };
    // The impolite side opens; the other uses what the offer brings, so that nothing collides.
    if (!this.#polite) {
      this.#ready = true;
      this.#openWords();
      this.#sound = connection.addTransceiver(media.sound ?? "audio", { direction: "sendrecv" });
      this.#picture = connection.addTransceiver("video", {
        direction: "sendrecv",
        sendEncodings: [{ active: false, maxBitrate: RUNGS[1].bitrate }],
      });
      prefer(this.#sound);
      prefer(this.#picture);
    }
  }

  get connected() {
    return this.connection.connectionState === "connected";
  }

  close() {
    this.connection.close();
  }

  /** Takes a message of this peer; one after the other. @param {Message} message */
  take(message) {
    this.#work = this.#work.then(() => this.#handle(message)).catch(() => undefined);
  }

  /** The peer or this page has a new socket: what may be lost is said again. */
  rejoined() {
    if (this.#unacknowledged !== undefined) this.#describe(this.#unacknowledged);
    if (!this.connected && Date.now() - this.#born > RESTART) this.#restart();
  }

  /** @param {number} cap */
  limit(cap) {
    if (this.ladder.limit(cap)) this.apply("asked");
  }

  /** Sends by the microphone that there is now. */
  async speak() {
    if (this.#ready) await this.#sound?.sender.replaceTrack(this.#media.sound);
  }

  /** Sends what the rung allows. @param {"automatic" | "asked"} reason */
  async apply(reason) {
    const sender = this.#picture?.sender;
    const soundSender = this.#sound?.sender;
    if (!sender || !soundSender) return;
    let picture = null;
    if (RUNGS[this.ladder.rung].bitrate) {
      picture = await this.#media.look();
      // While the person was asked for the camera, the call may have ended.
      if (this.connection.signalingState === "closed") return;
      if (!picture) this.ladder.limit(0);
    }
    // Or sound only was chosen.
    const rung = RUNGS[this.ladder.rung];
    if (!rung.bitrate) picture = null;
    if (sender.track !== picture) await sender.replaceTrack(picture);
    await adjust(sender, (parameters) => {
      parameters.degradationPreference = "maintain-framerate";
      const [encoding] = parameters.encodings;
      encoding.active = rung.bitrate > 0;
      if (!rung.bitrate) return;
      encoding.maxBitrate = rung.bitrate;
      encoding.scaleResolutionDownBy = rung.scale;
      encoding.maxFramerate = rung.frames;
    });
    await adjust(soundSender, (parameters) => {
      const [encoding] = parameters.encodings;
      encoding.priority = encoding.networkPriority = "high";
    });
    this.#happened("rung", reason);
  }

  /**
   * Sends with or without redundancy: the codec that the received description names first is the
   * one we send. The peer takes both, so it need not be asked; on a narrow line the descriptions
   * would cost more than the redundancy.
   */
  async #retune() {
    const { connection } = this;
    const { redundant } = this.ladder;
    const settled = connection.signalingState === "stable" && this.#unacknowledged === undefined;
    const received = connection.remoteDescription?.sdp;
    if (redundant === this.#redundant || !settled || !this.connected || !received) return;
    this.#making = true;
    try {
      await connection.setLocalDescription(await connection.createOffer());
      const sdp = tuned(received.replace(/a=setup:actpass/g, "a=setup:passive"), redundant);
      await connection.setRemoteDescription({ type: "answer", sdp });
      this.#redundant = redundant;
    } catch {
      await connection.setLocalDescription({ type: "rollback" }).catch(() => undefined);
    } finally {
      this.#making = false;
    }
  }

  /** Once a second. @param {boolean} open whether the socket is */
  async tick(open) {
    const now = Date.now();
    if (this.#unacknowledged !== undefined && open && now - this.#sentAt > RESEND) {
      this.#describe(this.#unacknowledged);
    }
    const waiting = this.connection.signalingState === "have-local-offer";
    if (waiting && !this.#making && this.#unacknowledged === undefined && open && now - this.#sentAt > UNANSWERED) {
      this.#describe(++this.#id);
    }
    if (this.connected) {
      await this.#measure();
      return;
    }
    const broken = ["disconnected", "failed"].includes(this.connection.connectionState);
    if (open && broken && now - this.#lostAt > RESTART) this.#restart();
    if (!this.#told && now - this.#lostAt > UNREACHABLE) {
      this.#told = true;
      this.#happened("problem", "unreachable");
    }
  }

  /** @param {string} kind @param {Record<string, unknown>} fields */
  #tell(kind, fields) {
    this.#send({ kind, to: this.seat, for: this.instance, ...fields });
  }

  /** @param {string} name @param {unknown} [detail] */
  #happened(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async #offer() {
    if (!this.#ready) return;
    // An answer on its way must arrive first: the peer, waiting for it, would ignore an offer.
    this.#deferred = this.#unacknowledged !== undefined && this.#answered;
    if (this.#deferred) return;
    try {
      this.#making = true;
      await this.connection.setLocalDescription();
      this.#describe(++this.#id);
    } catch {
      // Closed, or the peer's offer came first: negotiation will be needed again.
    } finally {
      this.#making = false;
    }
  }

  /** @param {number} id */
  #describe(id) {
    const description = this.connection.localDescription;
    if (!description) return;
    this.#unacknowledged = id;
    this.#sentAt = Date.now();
    const { type, sdp } = description;
    this.#answered = type === "answer";
    this.#tell("description", { id, description: { type, sdp } });
  }

  /** @param {Message} message */
  async #handle(message) {
    if (message.kind === "ack") {
      if (message.id !== this.#unacknowledged) return;
      this.#unacknowledged = undefined;
      if (this.#deferred) await this.#offer();
    } else if (message.kind === "candidate") {
      try {
        await this.connection.addIceCandidate(message.candidate ?? undefined);
      } catch {
        // Of an offer that was ignored, or rubbish: others will come.
      }
    } else if (message.kind === "description") {
      await this.#describedBy(message.id, message.description);
    }
  }

  /** @param {number} id @param {RTCSessionDescriptionInit} description */
  async #describedBy(id, description) {
    if (id > this.#taken) {
      const offered = description.type === "offer";
      const stable =
        !this.#making && (this.connection.signalingState === "stable" || this.#answering);
      this.#ignoring = !this.#polite && offered && !stable;
      this.#taken = id;
      if (!this.#ignoring) {
        if (offered && !stable) this.#unacknowledged = undefined;
        await this.#accept(description, offered);
      }
    }
    this.#tell("ack", { id });
  }

  /** @param {RTCSessionDescriptionInit} description @param {boolean} offered */
  async #accept(description, offered) {
    try {
      this.#answering = !offered;
      const sdp = tuned(description.sdp ?? "", this.ladder.redundant);
      await this.connection.setRemoteDescription({ ...description, sdp });
      this.#redundant = this.ladder.redundant;
    } catch {
      return;
    } finally {
      this.#answering = false;
    }
    if (!offered) return;
    if (!this.#ready) await this.#adopt();
    await this.connection.setLocalDescription();
    this.#describe(++this.#id);
  }

  /** The polite side: takes the offer's places for sound and picture as its own. */
  async #adopt() {
    this.#openWords();
    for (const transceiver of this.connection.getTransceivers()) {
      transceiver.direction = "sendrecv";
      prefer(transceiver);
      if (transceiver.receiver.track.kind === "audio") this.#sound = transceiver;
      else this.#picture = transceiver;
    }
    await this.#sound?.sender.replaceTrack(this.#media.sound);
    this.#ready = true;
  }

  #changed() {
    if (this.connected) {
      this.#told = false;
      this.#lostAt = 0;
      this.apply("automatic");
    } else {
      this.#lostAt ||= Date.now();
      if (this.connection.connectionState === "failed") this.#restart();
    }
    this.#happened("state");
  }

  #restart() {
    if (!this.#ready || Date.now() - this.#restartedAt < RESTART) return;
    this.#restartedAt = Date.now();
    this.connection.restartIce();
  }

  #openWords() {
    const words = this.connection.createDataChannel("quality", {
      negotiated: true,
      id: 0,
      ordered: false,
      maxRetransmits: 0,
    });
    words.onmessage = ({ data }) => {
      try {
        const word = JSON.parse(data);
        if (!Object.values(word).every(Number.isFinite)) return;
        this.#heard.push(word);
        if (this.#heard.length > WINDOW + 1) this.#heard.shift();
        this.#heardAt = performance.now();
      } catch {
        // Not a word of ours.
      }
    };
    this.#words = words;
  }

  async #measure() {
    const stats = await this.connection.getStats();
    /** @type {any} */
    let pair;
    let height = 0;
    const now = { received: 0, lost: 0, samples: 0, concealed: 0, frames: 0 };
    for (const report of stats.values()) {
      if (report.type === "transport" && report.selectedCandidatePairId) {
        pair = stats.get(report.selectedCandidatePairId);
      } else if (report.type === "inbound-rtp") {
        now.received += report.packetsReceived ?? 0;
        now.lost += Math.max(0, report.packetsLost ?? 0);
        now.frames += report.framesDecoded ?? 0;
        height = report.frameHeight ?? height;
        if (report.kind !== "audio") continue;
        now.samples = report.totalSamplesReceived ?? 0;
        now.concealed = (report.concealedSamples ?? 0) - (report.silentConcealedSamples ?? 0);
      }
    }
    const before = this.#got;
    this.#got = now;
    // A sender that pauses its picture does not say so.
    const pictured = this.pictured;
    this.#still = now.frames > before.frames ? 0 : this.#still + 1;
    this.pictured = now.frames > 0 && this.#still < 2;
    if (this.pictured !== pictured) this.#happened("media");
    this.quality.sees = !this.pictured ? "" : height <= SMALL ? "small" : "full";
    this.quality.loss = share(now.lost - before.lost, now.received - before.received);
    this.quality.concealed = Math.min(
      1,
      Math.max(0, now.concealed - before.concealed) / Math.max(1, now.samples - before.samples),
    );
    this.quality.relayed = stats.get(pair?.localCandidateId)?.candidateType === "relay";

    const last = this.#heard.at(-1);
    const moment = performance.now();
    if (this.#words?.readyState === "open") {
      /** @type {Word} */
      const word = {
        at: Math.round(moment),
        received: now.received,
        lost: now.lost,
        echo: last?.at ?? 0,
        held: Math.round(last ? moment - this.#heardAt : 0),
      };
      this.#words.send(JSON.stringify(word));
    }
    const fresh = last !== undefined && moment - this.#heardAt < 2_500;
    if (fresh && last.echo) {
      this.quality.round_trip_ms = Math.max(0, Math.round(this.#heardAt - last.echo - last.held));
    } else if (pair?.currentRoundTripTime !== undefined) {
      this.quality.round_trip_ms = Math.round(pair.currentRoundTripTime * 1_000);
    }
    const first = this.#heard[0];
    const loss = last && first ? share(last.lost - first.lost, last.received - first.received) : 0;
    const changed = this.ladder.take({
      // No word for so long is itself a word.
      loss: last && !fresh ? Math.max(loss, 0.15) : loss,
      fresh,
      roundTrip: this.quality.round_trip_ms,
      available: pair?.availableOutgoingBitrate,
    });
    this.#happened("sample");
    if (changed) await this.apply("automatic");
    this.#work = this.#work.then(() => this.#retune());
  }
}

/** @param {number} lost @param {number} received */
function share(lost, received) {
  return lost > 0 ? Math.min(1, lost / (lost + Math.max(0, received))) : 0;
}

/** @param {RTCRtpSender} sender @param {(parameters: any) => void} change */
async function adjust(sender, change) {
  try {
    const parameters = sender.getParameters();
    if (!parameters.encodings?.length) return;
    change(parameters);
    await sender.setParameters(parameters);
  } catch {
    // An older browser that knows less; the call goes on with its defaults.
  }
}

const CODECS = { audio: ["opus", "red"], video: ["vp8", "h264", "rtx"] };

/** Shortens the description to what is used: on a bad link its size counts. @param {RTCRtpTransceiver} transceiver */
function prefer(transceiver) {
  const kind = /** @type {"audio" | "video"} */ (transceiver.receiver.track.kind);
  const codecs = RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [];
  const wanted = CODECS[kind].flatMap((name) =>
    codecs.filter(({ mimeType }) => mimeType.toLowerCase() === `${kind}/${name}`),
  );
  if (wanted.length) transceiver.setCodecPreferences?.(wanted);
}

/**
 * Asks our own encoder, by way of the received description, for speech at 16 kbit/s in packets of
 * 60 ms: fifty packets a second cost 26 kbit/s of headers, sixteen cost 9. With `redundant`, each
 * packet carries the one before it again (RED).
 * @param {string} sdp @param {boolean} redundant
 */
export function tuned(sdp, redundant) {
  const opus = /^a=rtpmap:(\d+) opus\//im.exec(sdp)?.[1];
  const red = /^a=rtpmap:(\d+) red\/48000/im.exec(sdp)?.[1];
  if (!opus) return sdp;
  const first = redundant && red ? red : opus;
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => {
      if (!section.startsWith("m=audio")) return section;
      const lines = section.split("\r\n").filter((line) => line && !/^a=(max)?ptime:/.test(line));
      const [kind, port, protocol, ...codecs] = lines[0].split(" ");
      lines[0] = [kind, port, protocol, first, ...codecs.filter((codec) => codec !== first)].join(" ");
      return [...lines.map((line) => withSpeech(line, opus)), "a=ptime:60", ""].join("\r\n");
    })
    .join("");
}

/** @param {string} line @param {string} opus */
function withSpeech(line, opus) {
  const prefix = `a=fmtp:${opus} `;
  if (!line.startsWith(prefix)) return line;
  const kept = line
    .slice(prefix.length)
    .split(";")
    .filter((part) => !/^\s*(maxaveragebitrate|usedtx|useinbandfec)=/.test(part));
  return prefix + [...kept, "maxaveragebitrate=16000", "usedtx=1", "useinbandfec=1"].join(";");
}
