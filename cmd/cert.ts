/** `barge cert`: shows the certificate of a storage or of a server. */
import { BargeError } from "../core/error.ts";
import { accountsOptions, type AccountsValues, isShared } from "./_data/accounts.ts";
import { ownOfCluster, ownOfDirectory, type Shown } from "./_data/own_certificate.ts";
import { command, flag, optionalArgument } from "./_term/command.ts";
import { note, print, printJson, printLine } from "./_term/out.ts";
import { exitCodes } from "./_term/exit.ts";
import { knownHostsPath } from "./_client/security.ts";

export default command({
  options: {
    remote: optionalArgument("HOST[:PORT]", "The server. Default: the one on the data directory"),
    forget: flag("Forget the pin of that server"),
    ...accountsOptions,
  },
  about: `Prints the fingerprint, the names and the validity of a certificate.

    Without a server's name: of the certificate that the server on the data directory uses, or used
    last, from --tls-cert or made by \`barge serve\`; and the fingerprints of its SSH host keys. With
    --store: of the certificate that the nodes have made and share, and of their host keys. With a
    server's name: of the certificate that this server presents, and whether it is pinned here. The
    exit code is 15 if another certificate is pinned. Nothing is pinned.

    --forget removes the pin, so that the next connection pins the server's new certificate. Use it
    only after the server's operator has confirmed the new fingerprint.`,
  examples: [
    ["barge cert --data /srv/barge", "print the fingerprint for the server's users"],
    ["barge cert files.example", "check a server's certificate"],
    ["barge cert --forget files.example:7171", "accept the operator's new certificate"],
  ],
  async run(values, { signal }) {
    const { remote, forget, json } = values;
    if (remote === undefined) {
      if (forget) throw new BargeError("usage", "--forget needs a server's name");
      return await showOwn(values, json);
    }
    const { parseRemote } = await import("../core/client/remote.ts");
    const { host, port } = parseRemote(remote);
    const path = knownHostsPath();
    if (!forget) return await look({ host, port }, path, signal, json);
    const { removePins, serverName } = await import("../core/net/known_hosts.ts");
    const server = serverName({ host, port });
    const pins = path === undefined ? [] : await removePins(path, { host, port });
    if (pins.length === 0) {
      throw new BargeError("not-found", "it is not pinned", { op: "forget", path: server });
    }
    if (json) printJson({ server, forgotten: pins.map(({ fingerprint }) => fingerprint) });
    else note(`${server} is forgotten: the next connection pins its certificate`);
  },
});

async function showOwn(values: AccountsValues, json: boolean): Promise<void> {
  const own = isShared(values) ? await ownOfCluster(values) : await ownOfDirectory(values.data);
  const { certificate, isGiven, hostKeys } = own;
  if (json) {
    const facts = certificate && { file: certificate.file, ...fields(certificate) };
    return printJson({ ...facts, ...(hostKeys && { hostKeys }) });
  }
  if (certificate) describe(certificate);
  if (isGiven) printLine(`  file       ${certificate?.file}, from --tls-cert`);
  for (const { type, fingerprint } of hostKeys ?? []) print(`${fingerprint} ${type}`);
}

async function look(
  address: { readonly host: string; readonly port: number },
  path: string | undefined,
  signal: AbortSignal,
  json: boolean,
): Promise<number> {
  const { withPortHint } = await import("../core/client/remote.ts");
  const { dialTls } = await import("../core/net/dial_tls.ts");
  const { readPins, serverName } = await import("../core/net/known_hosts.ts");
  const pins = path === undefined ? [] : readPins(path, address);
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
  const { pipe, presented } = await dialTls(address, inTime).catch((error) => {
    throw withPortHint(error, address);
  });
  pipe.close();
  const matches = pins.some(({ fingerprint }) => fingerprint === presented.fingerprint);
  const pinned = pins.length === 0 ? null : matches;
  const { vouched } = presented;
  if (json) {
    printJson({ server: serverName(address), ...fields(presented), vouched, pinned });
  } else {
    describe(presented);
    const authority = vouched ? "an authority that this machine trusts" : "no trusted authority";
    print(`  vouched    by ${authority}`);
    for (const { fingerprint, since } of pins) print(`  pinned     ${fingerprint} ${since}`);
    if (pins.length === 0) print("  pinned     no");
    if (pinned === false) note("barge: this is NOT the pinned certificate");
  }
  return pinned === false ? exitCodes.identity : 0;
}

function fields({ fingerprint, names, from, until }: Shown) {
  return { fingerprint, names, from: from.toISOString(), until: until.toISOString() };
}

function describe({ fingerprint, names, from, until }: Shown): void {
  const day = (date: Date) => date.toISOString().slice(0, 10);
  print(fingerprint);
  printLine(`  names      ${names.join(", ")}`);
  print(`  valid      ${day(from)} to ${day(until)}`);
}
