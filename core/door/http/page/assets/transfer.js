/**
 * One upload, by tus 1.0 against the API: begun there with its size, so that room is held for it; then
 * its bytes, from where the server has them; whole or absent at the end.
 *
 *   waiting -> sending -> done
 *                    \-> paused     by the reader
 *                    \-> failed     can be tried again, and goes on where it was
 */

/** Bytes a request: small enough for the limits of proxies. */
const piece = 48 * 1024 * 1024;
/** So often it is tried again by itself when the connection breaks, after 1, 2, 4 ... seconds. */
const tries = 6;
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
  overwrite = "never";
  #url;
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
    this.#changed = changed;
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
        if (error.kind || attempt >= tries) return this.#fail(error);
        this.why = "The connection broke; trying again.";
        this.#changed(this);
        await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** attempt));
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
    if (this.#url) await this.#ask("DELETE", this.#url).catch(() => {});
    else if (!this.file) await this.#ask("DELETE", await this.#begin(this.size)).catch(() => {});
  }

  async #send() {
    this.#url ??= await this.#begin(this.file.size);
    const head = await this.#ask("HEAD", this.#url);
    this.sent = Number(head.getResponseHeader("Upload-Offset"));
    this.#marks = [[performance.now(), this.sent]];
    while (this.sent < this.size && this.state === "sending") {
      const from = this.sent;
      const part = this.file.slice(from, from + piece);
      const answer = await this.#ask("PATCH", this.#url, {
        headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": `${from}` },
        body: part,
        onProgress: (bytes) => this.#progress(from + bytes),
      });
      this.#progress(Number(answer.getResponseHeader("Upload-Offset")));
    }
  }

  /** @returns the upload's URL; one to the same path and of the same size is gone on with */
  async #begin(size) {
    const metadata = {
      path: this.path,
      filename: this.name,
      overwrite: this.overwrite,
      ...this.file ? { modified: new Date(this.file.lastModified).toISOString() } : {},
    };
    const pairs = Object.entries(metadata).map(([key, text]) => `${key} ${base64(text)}`);
    const answer = await this.#ask("POST", "/api/v1/uploads", {
      headers: { "Upload-Length": `${size}`, "Upload-Metadata": pairs.join(",") },
    });
    return answer.getResponseHeader("Location");
  }

  /** XMLHttpRequest, since fetch does not tell how far a body has got. */
  #ask(method, url, { headers = {}, body, onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const xhr = this.#xhr = new XMLHttpRequest();
      xhr.open(method, url);
      for (const [name, value] of Object.entries({ ...tus, ...headers })) {
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

/** What the server says of a request that it refused. One that is worth trying again has no kind. */
function refusal(xhr) {
  let problem = {};
  try {
    problem = JSON.parse(xhr.responseText);
  } catch { /* HEAD has no body, and a proxy's is its own */ }
  const kind = problem.kind ??
    { 401: "unauthenticated", 404: "not-found", 410: "not-found" }[xhr.status];
  const passing = xhr.status >= 500 && xhr.status !== 507 || xhr.status === 409 && !problem.kind;
  const error = new Error(words[kind] ?? problem.detail ?? `The server said ${xhr.status}.`);
  return Object.assign(error, { kind: passing ? undefined : kind ?? "refused" });
}

const words = {
  "exists": "There is a file of that name already.",
  "over-quota": "There is not enough room left for it.",
  "unauthenticated": "You were logged out. Log in again, and it goes on.",
  "no-space": "The server's disk is full.",
};

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
