/** Debian's nginx in front of a server, with a configuration out of the documentation. */
import assert from "node:assert/strict";
import { makeSelfSigned } from "../../core/net/self_signed.ts";

const docs = new URL("../../docs/proxy.md", import.meta.url);
const modules = "/usr/lib/nginx/modules";

/** The host that the documentation's configurations are for. */
export const host = "box.example";

/**
 * Listens on free ports, says which, and becomes nginx, which takes the sockets over: so no port is
 * chosen that somebody else may take.
 */
const becomeNginx = `
import json, os, socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
for each in sockets: os.set_inheritable(each.fileno(), True)
print(json.dumps([each.getsockname()[1] for each in sockets]), flush=True)
config, log = json.loads(sys.stdin.readline())
os.environ["NGINX"] = "".join("%d;" % each.fileno() for each in sockets)
os.execvp("nginx", ["nginx", "-e", log, "-c", config])
`;

/** Returns the part of docs/proxy.md that is indented and has this text in it. */
export async function documented(text: string): Promise<string> {
  const blocks = (await Deno.readTextFile(docs)).match(/(?:^ {4}.*\n|^\n(?= {4}))+/gm) ?? [];
  const found = blocks.filter((block) => block.includes(text));
  assert.equal(found.length, 1, text);
  return found[0].replace(/^ {4}/gm, "");
}

/** Can nginx pass on plain TCP? */
export function hasStream(): boolean {
  try {
    return Deno.statSync(`${modules}/ngx_stream_module.so`).isFile;
  } catch {
    return false;
  }
}

export class Nginx implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    /** Where it will listen. */
    readonly ports: readonly number[],
    /** The certificate that it shows. */
    readonly cert: string,
    readonly process: Deno.ChildProcess,
  ) {}

  /** Takes ports, which nginx listens on once {@link run} is called. */
  static async reserve(count = 1): Promise<Nginx> {
    const folder = await Deno.makeTempDir({ prefix: "barge-nginx-" });
    const { cert, key } = await makeSelfSigned([host]);
    await Deno.writeTextFile(`${folder}/box.pem`, cert);
    await Deno.writeTextFile(`${folder}/box.key`, key);
    const process = new Deno.Command("python3", {
      args: ["-c", becomeNginx, String(count)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = process.stdout.getReader();
    const { value } = await reader.read();
    reader.releaseLock();
    const ports = JSON.parse(new TextDecoder().decode(value));
    return new Nginx(folder, ports, `${folder}/box.pem`, process);
  }

  /**
   * Starts it.
   *
   * @param config from the documentation
   * @param changes of it: what stands there, and what is to
   */
  async run(config: string, changes: Readonly<Record<string, string>>): Promise<void> {
    const { folder } = this;
    let text = config.replaceAll("/etc/ssl/", `${folder}/`);
    for (const [from, to] of Object.entries(changes)) {
      assert.ok(text.includes(from), from);
      text = text.replaceAll(from, to);
    }
    const stream = /^stream /m.test(text);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
    await Deno.writeTextFile(
      `${folder}/nginx.conf`,
      `${stream ? `load_module ${modules}/ngx_stream_module.so;\n` : ""}` +
        `${Deno.uid() === 0 ? "user root;\n" : ""}` +
        `daemon off; pid ${folder}/pid; events {}\n` +
        (stream ? text : `http { access_log off; ${temporary}\n${text}\n}\n`),
    );
    const writer = this.process.stdin.getWriter();
    const line = JSON.stringify([`${folder}/nginx.conf`, `${folder}/error.log`]);
    await writer.write(new TextEncoder().encode(`${line}\n`));
    await writer.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGTERM");
    } catch { /* it has ended already, and its log says why */ }
    await this.process.stdout.cancel();
    await this.process.status;
    const log = await Deno.readTextFile(`${this.folder}/error.log`).catch(() => "");
    await Deno.remove(this.folder, { recursive: true });
    assert.doesNotMatch(log, /\[emerg\]/);
  }
}
