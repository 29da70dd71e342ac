/** `barge ping`: measures the answer time of a server. */
import { ping } from "../core/client/ping.ts";
import { formatRemote } from "../core/client/remote.ts";
import { command, optionalArgument } from "./_term/command.ts";
import { printJson, printLine } from "./_term/out.ts";
import { argumentOrOption } from "./_client/choose.ts";
import { connectOnly, serverOptions } from "./_client/session.ts";

export default command({
  options: {
    remote: optionalArgument("barge://HOST:PORT", "The server, in place of --server"),
    ...serverOptions,
  },
  about: `Sends a request to a server and prints the time until the answer. Needs no login.`,
  examples: [["barge ping barge://files.example", "check whether the server answers"]],
  async run({ remote: named, json, ...choice }, { signal, sources }) {
    const choices = { ...choice, server: argumentOrOption(named, choice.server, sources) };
    const { client, remote } = await connectOnly(choices, signal);
    await using _ = client;
    const ms = Math.round(await ping(client) * 1000) / 1000;
    const { agent, version, register } = client.hello;
    const server = formatRemote({ host: remote.host, port: remote.port });
    if (json) printJson({ server, ms, agent, version, register });
    else printLine(`${server} answered in ${ms.toFixed(1)} ms (${agent}, BARGE/${version})`);
  },
});
