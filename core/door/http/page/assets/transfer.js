/**
 * One upload, by tus 1.0 against the API. It begins with its size, which the server reserves; then its
 * bytes are sent from the server's offset.
 *
 *   waiting -> sending -> done
 *                    \-> paused     by the reader
 *                    \-> failed     can be tried again, and resumes
 */
import { root } from "./root.js";

/**
 * Bytes of a request; the browser's count of sent bytes is ahead of the server's by at most this. If a
 * proxy refuses a body (413) or breaks the connection, all later requests are smaller.
 */
let pieceBytes = 8 * 1024 * 1024;
const minPieceBytes = 64 * 1024;
/** The smallest piece after a broken connection, which may have another cause. */
const minPieceAfterBreakBytes = 512 * 1024;
/** Attempts after a broken connection, with waits of 1, 2, 4 ... seconds. */
const maxAttempts = 6;
/** Attempts while the server still has the former connection or checks the file: two minutes. */
const maxBusyAttempts = 65;
const tus = { "Tus-Resumable": "1.0.0" };

export class Transfer {
  state = "waiting";
  sent = 0;
  /** Bytes a second, over the last seconds. */
  rate = 0;
  /** The reason of a failure, as a sentence, and the kind of the error. */
  why = "";
  kind = "";
  /** Whether to replace a file of that name. */
  overwrite = false;
  /** Whether the server has the upload. */
  begun = false;
  #xhr;
  #marks = [];
  #changed;

  /**
   * @param {string} path of the file in the tree
   * @param {File | undefined} file undefined for a partial upload until its file is chosen again
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

  /** Sends the file, until it is complete, paused or failed. Never throws. */
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
        if (error.kind || attempt >= (error.soon ? maxBusyAttempts : maxAttempts)) {
          return this.#fail(error);
        }
        this.why = error.soon
          ? "The server still handles the former connection."
          : "The connection broke. Trying again.";
        this.#changed(this);
        await wait(error.soon ? Math.min(200 * 2 ** attempt, 2000) : 1000 * 2 ** attempt);
      }
    }
  }

  pause() {
    this.#to("paused");
    this.#xhr?.abort();
  }

  /** Cancels the upload, also on the server. */
  async cancel() {
    this.#to("cancelled");
    this.#xhr?.abort();
    if (this.begun) await this.drop();
  }

  /** Deletes the partial upload on the server. */
  async drop() {
    // The server is busy until it notices the end of the former connection.
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      try {
        return void await this.#request("DELETE", this.#url);
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
        const answer = await this.#request("PATCH", this.#url, {
          headers: {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": `${from}`,
          },
          body: this.file.slice(from, from + bytes),
          onProgress: (bytes) => this.#progress(from + bytes),
        });
        this.#progress(Number(answer.getResponseHeader("Upload-Offset")));
      } catch (error) {
        this.sent = from; // the server may not have the later bytes
        if (!sendLess(error, bytes)) throw error;
      }
    }
  }

  /** Begins the upload, or fetches its offset. */
  async #begin() {
    if (this.begun) {
      try {
        const head = await this.#request("HEAD", this.#url);
        this.sent = Number(head.getResponseHeader("Upload-Offset"));
        return;
      } catch (error) {
        if (error.kind !== "not-found") throw error;
      }
    }
    const modified = btoa(new Date(this.file.lastModified).toISOString());
    const headers = { "Upload-Length": `${this.size}`, "Upload-Metadata": `modified ${modified}` };
    await this.#request("POST", this.#url, { headers });
    this.begun = true;
    this.sent = 0;
  }

  /** Sends a request. fetch does not report the progress of a body, so this uses XMLHttpRequest. */
  #request(method, url, { headers = {}, body, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const xhr = this.#xhr = new XMLHttpRequest();
      xhr.open(method, url);
      const condition = this.overwrite || method === "DELETE" ? {} : { "If-None-Match": "*" };
      for (const [name, value] of Object.entries({ ...tus, ...condition, ...headers })) {
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
    this.why = kind ? message : "The server is not reachable.";
    this.#to("failed");
  }
}

/**
 * Reduces the size of pieces after a failed one.
 *
 * @returns whether the next piece can be sent at once; if not, the offset is fetched first
 */
function sendLess({ tooLarge, kind }, bytes) {
  const least = tooLarge ? minPieceBytes : minPieceAfterBreakBytes;
  if (!tooLarge && kind !== undefined || bytes <= least) return false;
  pieceBytes = Math.min(pieceBytes, Math.max(least, bytes / 4));
  return tooLarge;
}

/** Returns the error of a refused request; it has no kind if the request is worth trying again. */
function refusal(xhr) {
  let problem = {};
  try {
    problem = JSON.parse(xhr.responseText);
  } catch { /* HEAD has no body, and a proxy's is its own */ }
  const { status } = xhr;
  const kinds = { 401: "unauthenticated", 404: "not-found", 412: "exists" };
  const kind = kinds[status] ?? problem.kind;
  const busy = status === 423; // the former connection has not ended yet
  const offsetDiffers = status === 409 && xhr.getResponseHeader("Upload-Offset") !== null;
  const takenOver = status === 410; // a newer connection has the upload and keeps it
  const retryable = busy || offsetDiffers || kind === "unavailable" && !takenOver ||
    (status >= 500 && !kind);
  const tooLarge = status === 413 && problem.kind === undefined; // a proxy's answer
  const detail = problem.detail ??
    (tooLarge
      ? "A proxy in front of the server refused it: the proxy's limit for bodies is too small."
      : `The server answered ${status}.`);
  const error = new Error(texts[kind] ?? detail);
  return Object.assign(error, {
    tooLarge,
    kind: retryable ? undefined : kind ?? "refused",
    soon: busy || offsetDiffers,
  });
}

const texts = {
  "exists": "A file of that name exists already.",
  "over-quota": "Your quota is too small for it.",
  "unauthenticated": "You were logged out. Log in again to resume.",
  "no-space": "The server's disk is full.",
};

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
