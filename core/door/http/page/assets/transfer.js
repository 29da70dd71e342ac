/**
 * One upload, by tus 1.0 against the API: begun there with its size, so that room is held for it; then
 * its bytes, from where the server has them; whole or absent at the end.
 *
 *   waiting -> sending -> done
 *                    \-> paused     by the reader
 *                    \-> failed     can be tried again, and goes on where it was
 */
import { root } from "./root.js";

/**
 * Bytes a request. The browser's count of sent bytes is ahead of the server's by no more than this.
 * A proxy that limits bodies refuses them (413), or breaks the connection: then all transfers send
 * smaller ones from there on.
 */
let pieceBytes = 8 * 1024 * 1024;
const smallestPieceBytes = 64 * 1024;
/** The smallest piece after a broken connection, which may have any cause. */
const usualLimitBytes = 512 * 1024;
/** So often it is tried again by itself when the connection breaks, after 1, 2, 4 ... seconds. */
const tries = 6;
/**
 * Tries while the server is busy with the former connection or checks the file: two minutes in all.
 */
const busyTries = 65;
const tus = { "Tus-Resumable": "1.0.0" };

export class Transfer {
  state = "waiting";
  sent = 0;
  /** Bytes a second, lately. */
  rate = 0;
  /** Why it failed: a sentence; and the kind of error. */
  why = "";
  kind = "";
  /** May a file of that name be replaced? */
  overwrite = false;
  /** Does the server know of it? */
  begun = false;
  #xhr;
  #marks = [];
  #changed;

  /**
   * @param {string} path where it is to be, in the tree
   * @param {File | undefined} file undefined: of one that was cut off, until it is chosen again
   * @param {(t: Transfer) => void} changed
   */
  constructor(path, file, changed) {
    this.path = path;
    this.file = file;
    this.size = file?.size ?? 0;
    this.#changed = changed ?? (() => {});
  }

  get name() {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** Sends it, to its end or until it is paused. Never throws. */
  async run() {
    this.#to("sending");
    for (let attempt = 0; this.state === "sending"; attempt++) {
      const before = this.sent;
      try {
        await this.#send();
        if (this.state === "sending") this.#to("done");
        return;
      } catch (error) {
        if (this.state !== "sending") return;
        if (this.sent > before) attempt = 0;
        if (error.kind || attempt >= (error.soon ? busyTries : tries)) return this.#fail(error);
        this.why = error.soon
          ? "The server is busy with what came before."
          : "The connection broke; trying again.";
        this.#changed(this);
        await wait(error.soon ? Math.min(200 * 2 ** attempt, 2000) : 1000 * 2 ** attempt);
      }
    }
  }

  pause() {
    this.#to("paused");
    this.#xhr?.abort();
  }

  /** Gives it up, also on the server. */
  async cancel() {
    this.#to("cancelled");
    this.#xhr?.abort();
    if (this.begun) await this.drop();
  }

  /** Has the server forget it. */
  async drop() {
    // Until the server has seen that nobody sends any more, it is busy.
    for (let attempt = 0; attempt < tries; attempt++) {
      try {
        return void await this.#ask("DELETE", this.#url);
      } catch (error) {
        if (error.kind) return;
        await wait(200 * 2 ** attempt);
      }
    }
  }

  get #url() {
    return `${root}/api/v1/uploads${this.path.split("/").map(encodeURIComponent).join("/")}`;
  }

  async #send() {
    await this.#begin();
    this.#marks = [[performance.now(), this.sent]];
    while (this.sent < this.size && this.state === "sending") {
      const from = this.sent;
      const bytes = pieceBytes;
      try {
        const answer = await this.#ask("PATCH", this.#url, {
          headers: {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": `${from}`,
          },
          body: this.file.slice(from, from + bytes),
          onProgress: (bytes) => this.#progress(from + bytes),
        });
        this.#progress(Number(answer.getResponseHeader("Upload-Offset")));
      } catch (error) {
        this.sent = from; // the server may have no more
        if (!sendLess(error, bytes)) throw error;
      }
    }
  }

  /** Has the server hold room for it, or finds out how far it is. */
  async #begin() {
    if (this.begun) {
      try {
        const head = await this.#ask("HEAD", this.#url);
        this.sent = Number(head.getResponseHeader("Upload-Offset"));
        return;
      } catch (error) {
        if (error.kind !== "not-found") throw error;
      }
    }
    const modified = btoa(new Date(this.file.lastModified).toISOString());
    const headers = { "Upload-Length": `${this.size}`, "Upload-Metadata": `modified ${modified}` };
    await this.#ask("POST", this.#url, { headers });
    this.begun = true;
    this.sent = 0;
  }

  /** XMLHttpRequest, since fetch does not tell how far a body has got. */
  #ask(method, url, { headers = {}, body, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const xhr = this.#xhr = new XMLHttpRequest();
      xhr.open(method, url);
      const only = this.overwrite || method === "DELETE" ? {} : { "If-None-Match": "*" };
      for (const [name, value] of Object.entries({ ...tus, ...only, ...headers })) {
        xhr.setRequestHeader(name, value);
      }
      if (onProgress) xhr.upload.onprogress = (event) => onProgress(event.loaded);
      xhr.onload = () => xhr.status < 300 ? resolve(xhr) : reject(refusal(xhr));
      xhr.onerror = xhr.onabort = xhr.ontimeout = () => reject(new Error("the connection broke"));
      xhr.send(body);
    });
  }

  #progress(sent) {
    const now = performance.now();
    this.sent = sent;
    this.why = "";
    this.#marks = this.#marks.filter(([at]) => now - at < 5000).slice(-200);
    const [at, from] = this.#marks[0] ?? [now, sent];
    if (now - at > 300) this.rate = (sent - from) / (now - at) * 1000;
    this.#marks.push([now, sent]);
    this.#changed(this);
  }

  #to(state) {
    this.state = state;
    this.#changed(this);
  }

  #fail({ kind, message }) {
    this.kind = kind ?? "unavailable";
    this.why = kind ? message : "The server can't be reached.";
    this.#to("failed");
  }
}

/**
 * Makes pieces smaller after a failed one.
 *
 * @returns whether the next piece can be sent at once; if not, the offset is fetched first
 */
function sendLess({ tooLarge, kind }, bytes) {
  const least = tooLarge ? smallestPieceBytes : usualLimitBytes;
  if (!tooLarge && kind !== undefined || bytes <= least) return false;
  pieceBytes = Math.min(pieceBytes, Math.max(least, bytes / 4));
  return tooLarge;
}

/** What the server says of a request that it refused. One that is worth trying again has no kind. */
function refusal(xhr) {
  let problem = {};
  try {
    problem = JSON.parse(xhr.responseText);
  } catch { /* HEAD has no body, and a proxy's is its own */ }
  const { status } = xhr;
  const kinds = { 401: "unauthenticated", 404: "not-found", 412: "exists" };
  const kind = kinds[status] ?? problem.kind;
  const busy = status === 423; // the connection before this one is not quite gone
  const moved = status === 409 && xhr.getResponseHeader("Upload-Offset") !== null;
  const taken = status === 410; // by a newer connection, from which it is not taken back automatically
  const passing = busy || moved || kind === "unavailable" && !taken || (status >= 500 && !kind);
  const tooLarge = status === 413 && problem.kind === undefined; // a proxy's answer
  const said = problem.detail ??
    (tooLarge
      ? "A proxy in front of the server does not let it through: its limit for bodies is too small."
      : `The server said ${status}.`);
  const error = new Error(words[kind] ?? said);
  return Object.assign(error, {
    tooLarge,
    kind: passing ? undefined : kind ?? "refused",
    soon: busy || moved,
  });
}

const words = {
  "exists": "There is a file of that name already.",
  "over-quota": "There is not enough room left for it.",
  "unauthenticated": "You were logged out. Log in again, and it goes on.",
  "no-space": "The server's disk is full.",
};

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
