/** `barge ping`: does a server answer? */
import { ping } from "../core/client/ping.ts";
import { formatRemote } from "../core/client/remote.ts";
import { command } from "./_term/command.ts";
import { common, optionalArgument } from "./_term/options.ts";
import { printJson, printLine } from "./_term/out.ts";
import { connectOnly, serverOptions } from "./_client/session.ts";

export default command({
  options: {
    remote: optionalArgument("barge://HOST:PORT", "The server; instead of --server"),
    ...serverOptions,
    ...common,
  },
  usage: "[barge://HOST:PORT]",
  about: `Asks a server for an answer and prints how long it took. Needs no login.`,
  examples: [["barge ping barge://files.example", "see whether it is up"]],
  async run({ remote: named, json, ...choice }, { signal }) {
    const asked = { ...choice, server: named ?? choice.server };
    const { client, remote } = await connectOnly(asked, signal);
    await using _ = client;
    const ms = Math.round(await ping(client) * 1000) / 1000;
    const { agent, version, register } = client.hello;
    const server = formatRemote({ host: remote.host, port: remote.port });
    if (json) printJson({ server, ms, agent, version, register });
    else printLine(`${server} answered in ${ms.toFixed(1)} ms (${agent}, BARGE/${version})`);
  },
});
