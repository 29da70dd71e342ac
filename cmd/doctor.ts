/** `barge doctor`: looks for faults in the setup of a server, and changes nothing. */
import { resolve } from "node:path";
import { BargeError } from "../core/error.ts";
import type { Finding } from "../core/doctor/finding.ts";
import type {
  LocalSetup,
  SecretFile,
  Setup,
  SharedSetup,
  UnusableFile,
} from "../core/doctor/setup.ts";
import { doorSpecs } from "../core/serve/door_specs.ts";
import { isShared } from "./_data/accounts.ts";
import { sharedOptions } from "./_data/storage_options.ts";
import { checkPartners } from "./_serve/partners.ts";
import { secretFilesOf } from "./_serve/secret_files.ts";
import { doorOptions } from "./_serve/doors.ts";
import type { AnyCommand, Context } from "./_term/command.ts";
import { otherCode } from "./_term/exit.ts";
import { finish, note, printJson, printLine } from "./_term/out.ts";
import { version } from "./_version.ts";
import serve from "./serve.ts";

type Values = Parameters<typeof serve.run>[0];

/** The longest time that the bucket may take for one answer, in ms. */
const bucketDeadlineMs = 5_000;

export default {
  options: serve.options,
  readFiles: serve.readFiles,
  about: `Checks the setup of a server and reports what to do. It takes the options of \`serve\`, or
    --config FILE, so that the line of a service can be used with \`doctor\` in place of \`serve\`. The
    server may run or not. Nothing is changed. Run it as the server's user, or as root.

    It checks the permissions and owner of the data directory; the files with secrets; doors without
    TLS; the end and the names of certificates; the clock; free bytes and inodes; the type of the file
    system; the limit of descriptors; whether a proxy hides its clients' addresses; --durability;
    markers and leftover files; the process of the server. With --store: whether the database and the
    bucket can be used, their clocks, and the nodes.

    Each finding is \`ok\`, \`note\` (worth knowing), \`warn\` (correct it soon) or \`bad\` (correct it now).
    The exit code is 1 if there is a finding \`warn\` or \`bad\`, else 0.

    With --json it prints one object a line: type, id, severity, message, advice, path; and at the end
    a summary with the number of findings of each severity.`,
  examples: [
    ["barge doctor --config /etc/barge/barge.toml", "check the setup of that server"],
    ["barge doctor --data /srv/barge --native 0.0.0.0:7171", "the same without a file"],
  ],
  async run(values: Values, { signal, sources }: Context) {
    checkPartners(serve.options, sources);
    const { examine } = await import("../core/doctor/examine.ts");
    await using opened = await openSetup(values);
    const counts = { ok: 0, note: 0, warn: 0, bad: 0 };
    for await (const finding of examine(opened.setup, signal)) {
      counts[finding.severity]++;
      printFinding(finding, values.json);
    }
    const { ok, note: notes, warn, bad } = counts;
    if (values.json) printJson({ type: "summary", ...counts });
    else {
      await finish(); // with `2>&1` the numbers come last
      note(`${bad} bad, ${warn} warn, ${notes} note, ${ok} ok`);
    }
    return bad + warn > 0 ? otherCode : 0;
  },
} satisfies AnyCommand;

/** Prints a finding. The fields of `--json` are frozen. */
function printFinding(finding: Finding, json: boolean): void {
  const { id, severity, message, advice = null, path = null } = finding;
  if (json) return printJson({ type: "finding", id, severity, message, advice, path });
  printLine(`${severity.padEnd(4)}  ${id}: ${message}${path === null ? "" : ` (${path})`}`);
  if (advice !== null) printLine(`      -> ${advice}`);
}

interface Opened extends AsyncDisposable {
  readonly setup: Setup | LocalSetup | SharedSetup;
}

/**
 * Returns the setup that the options describe. A file that can't be used is left out, and may leave it without
 * storage: a check reports it.
 *
 * @throws {BargeError} `usage` for options that contradict each other
 */
async function openSetup(values: Values): Promise<Opened> {
  const { tlsCert, tlsKey, config, proxyCert, publicUrl, maxConnections, durability } = values;
  const secretFiles = secretFilesOf(values);
  const unusableFiles: UnusableFile[] = [];
  const reportUnusable = (error: unknown): boolean => {
    if (!(error instanceof BargeError)) return false;
    const { op: option = "", path, message: why, cause } = error;
    if (!option.startsWith("--") || path === undefined) return false;
    const isOf = (file: SecretFile) => file.option === option;
    // The check of files of secrets reports one that can't be read.
    const isReported = unusableFiles.some(isOf) || (cause !== undefined && secretFiles.some(isOf));
    // The variable may hold a key with a typing error, which is a secret.
    const isVariable = path === Deno.env.get("BARGE_CLUSTER_KEY");
    const shownPath = isVariable ? "BARGE_CLUSTER_KEY" : path;
    if (!isReported) unusableFiles.push({ option, path: shownPath, why });
    return true;
  };
  const asked = readDoorOptions(values, reportUnusable);
  const common: Setup = {
    doors: doorSpecs(asked),
    acme: asked.acme !== undefined,
    secretFiles,
    unusableFiles,
    tlsCert,
    tlsKey,
    config,
    proxyCert,
    publicUrl,
    maxConnections,
    version,
  };
  const nothing = { [Symbol.asyncDispose]: () => Promise.resolve() };
  if (!isShared(values)) {
    return { setup: { ...common, data: realPath(values.data), durability }, ...nothing };
  }
  try {
    const options = (await sharedOptions(values))!;
    const { SharedStorage } = await import("../core/shared/storage.ts");
    const bucket = { ...options.bucket, deadlineMs: bucketDeadlineMs };
    const storage = new SharedStorage({ ...options, bucket }, () => 0);
    const close = () => storage[Symbol.asyncDispose]();
    return { setup: { ...common, storage }, [Symbol.asyncDispose]: close };
  } catch (error) {
    if (!reportUnusable(error)) throw error;
    return { setup: common, ...nothing };
  }
}

/** The options that go with a file that can't be used. */
const fileOptions: Readonly<Record<string, Partial<Values>>> = {
  "--acme-ca": { acmeCa: undefined },
  "--acme-eab-key-file": { acmeEabKid: undefined, acmeEabKeyFile: undefined },
};

/**
 * Returns the options of the doors, without those whose files can't be used.
 *
 * @param reportUnusable reports the file of an option that an error names. @returns false if it names none
 */
function readDoorOptions(
  values: Values,
  reportUnusable: (error: unknown) => boolean,
): ReturnType<typeof doorOptions> {
  try {
    return doorOptions(values);
  } catch (error) {
    const unused = error instanceof BargeError ? fileOptions[error.op ?? ""] : undefined;
    if (!unused || !reportUnusable(error)) throw error;
    return readDoorOptions({ ...values, ...unused }, reportUnusable);
  }
}

function realPath(data: string): string {
  try {
    return Deno.realPathSync(data);
  } catch {
    return resolve(data);
  }
}
