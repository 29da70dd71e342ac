/** A server behind nginx over TLS, as docs/proxy.md has it. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../_server.ts";
import { documented, host, Nginx } from "./_nginx.ts";

export interface Behind extends AsyncDisposable {
  readonly server: Server;
  readonly nginx: Nginx;
  /** The URL that clients know. */
  readonly url: string;
  /** Runs curl there. @returns the status, the head's fields and the body */
  curl(...args: string[]): Promise<{ status: number; head: string; body: string }>;
}

/** A server behind nginx over TLS. */
export async function behind(prefix: "" | "/files"): Promise<Behind> {
  const nginx = await Nginx.reserve();
  const [port] = nginx.ports;
  const url = `https://${host}:${port}${prefix}`;
  const server = await startServer({
    args: [
      ...["--http", "127.0.0.1:0", "--workers", "2", "--ban-after", "3"],
      ...["--durability", "relaxed", "--trusted-proxy", "127.0.0.1", "--public-url", url],
    ],
  });
  await server.addUser("alice");
  await server.addUser("bob");
  const location = `location ${prefix}/ {\n            proxy_pass http://127.0.0.1:8080;`;
  await nginx.run(await documented(location), {
    "listen 443 ssl": `listen 127.0.0.1:${port} ssl`,
    "127.0.0.1:8080": server.facts.http!,
  });
  const curl = async (...args: string[]) => {
    const output = await new Deno.Command("curl", {
      args: [
        ...["-sS", "-i", "--cacert", nginx.cert, "--resolve", `${host}:${port}:127.0.0.1`],
        ...["--max-time", "60", "-H", "Expect:", ...args],
      ],
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(output.stdout);
    assert.equal(output.code, 0, new TextDecoder().decode(output.stderr));
    const end = text.indexOf("\r\n\r\n");
    const [head, body] = [text.slice(0, end + 2), text.slice(end + 4)];
    return { status: Number(head.split(" ")[1]), head, body };
  };
  return {
    ...{ server, nginx, url, curl },
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
