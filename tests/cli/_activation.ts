/** A stand-in for systemd's socket units: a process that holds listening sockets over restarts of a server. */
import assert from "node:assert/strict";
import { bargeCommand } from "../_program.ts";

/**
 * Listens at ports of the system's choice and at paths, prints the ports, and starts, stops and kills one
 * server after another with these sockets as descriptors from 3 on.
 */
const holder = `
import json, os, signal, socket, sys
paths, names = json.loads(sys.argv[1]), sys.argv[2]
sockets = []
for path in paths:
    if path == "":
        each = socket.create_server(("127.0.0.1", 0), backlog=1024)
    else:
        each = socket.socket(socket.AF_UNIX)
        each.bind(path)
        each.listen(1024)
    sockets.append(each)
def answer(**fields): print(json.dumps(fields), flush=True)
answer(ports=[each.getsockname()[1] if each.family == socket.AF_INET else 0 for each in sockets])
child = 0
for line in sys.stdin:
    command = json.loads(line)
    if "start" in command:
        child = os.fork()
        if child == 0:
            copies = [os.dup2(each.fileno(), 100 + i) for i, each in enumerate(sockets)]
            for i, copy in enumerate(copies): os.dup2(copy, 3 + i, inheritable=True)
            for copy in copies: os.close(copy)
            os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=names)
            os.execvp(command["start"][0], command["start"])
    else:
        os.kill(child, getattr(signal, command["signal"]))
        answer(code=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`;

export class Activation implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #running = false;
  /** The port of each socket; 0 for a path. */
  ports: readonly number[] = [];

  private constructor(paths: readonly string[], names: string) {
    this.#process = new Deno.Command("python3", {
      args: ["-c", holder, JSON.stringify(paths), names],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = linesOf(this.#process.stdout);
    this.#writer = this.#process.stdin.getWriter();
  }

  /** @param paths of Unix sockets; an empty one for a TCP port @param names as in LISTEN_FDNAMES */
  static async open(paths: readonly string[], names: string): Promise<Activation> {
    const activation = new Activation(paths, names);
    ({ ports: activation.ports } = await activation.#next());
    return activation;
  }

  /** Starts a server and waits until it is ready. @returns its facts */
  async start(data: string, args: readonly string[]): Promise<Record<string, unknown>> {
    this.#running = true;
    await this.#send({ start: bargeCommand(["serve", "--json", "--data", data, ...args]) });
    return await this.#next();
  }

  /** Ends the server by a signal. @returns its exit code */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number> {
    this.#running = false;
    await this.#send({ signal });
    return Number((await this.#next()).code);
  }

  // deno-lint-ignore no-explicit-any
  async #next(): Promise<any> {
    const { value, done } = await this.#lines.next();
    assert.ok(!done, "the holder of the sockets has ended");
    return JSON.parse(value);
  }

  async #send(command: unknown): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${JSON.stringify(command)}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) await this.end("SIGKILL");
    await this.#writer.close();
    await this.#lines.return?.();
    await this.#process.status;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream() as never)) {
    const lines = (text + piece).split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}
