/** PostgreSQL and an S3 store: those that the environment names, or ones that the benchmark starts. */
import { fileURLToPath } from "node:url";
import { makeFolder, noteDaemons, removeFolder } from "../cleanup.ts";
import { capture } from "../peers/process.ts";
import type { ProcessGroup } from "./cpu_time.ts";

const script = fileURLToPath(new URL("../../tests/engines/engines", import.meta.url));
/** The size of the object store's disk: the store keeps deleted objects for hours. */
const diskBytes = 64 * 2 ** 30;

export interface Engines extends AsyncDisposable {
  readonly postgres: { readonly url: URL; readonly password: string };
  /** The S3 store; `url` without a bucket. */
  readonly s3: { readonly url: string; readonly accessKey: string; readonly secretKey: string };
  /** The processes of each engine; empty for engines that the environment names. */
  readonly processes: Readonly<Record<string, ProcessGroup>>;
}

/**
 * Returns the engines that the environment names, in the variables of the tests of shared storage; else
 * starts both (tests/engines/engines), which needs root and takes half a minute.
 *
 * @param dir the parent of their folder; default: the system's temporary folder
 * @throws {Error} with the error output of the script
 */
export async function findEngines(dir: string | undefined): Promise<Engines> {
  const named = Deno.env.toObject();
  if (named.BARGE_TEST_POSTGRES && named.BARGE_TEST_S3) {
    return { ...enginesOf(named), processes: {}, async [Symbol.asyncDispose]() {} };
  }
  const folder = await makeFolder("barge-engines-", dir);
  const stopping = noteDaemons(async () => void await capture(script, ["stop", folder]));
  const env = { BARGE_TEST_DISK_BYTES: String(diskBytes) };
  const { success, stderr } = await capture(script, ["start", folder], { env });
  if (!success) throw new Error(`the engines do not start: ${stderr.trim()}`);
  const text = await Deno.readTextFile(`${folder}/env`);
  const variables = text.trim().split("\n").map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  });
  return {
    ...enginesOf(Object.fromEntries(variables)),
    processes: {
      PostgreSQL: { pids: [await pidIn(`${folder}/postgres/data/postmaster.pid`)] },
      S3: { pids: await pidsBelow(`${folder}/ceph/run`) },
    },
    async [Symbol.asyncDispose]() {
      await stopping[Symbol.asyncDispose]();
      await removeFolder(folder);
    },
  };
}

function enginesOf(variables: Readonly<Record<string, string>>) {
  return {
    postgres: {
      url: new URL(variables.BARGE_TEST_POSTGRES),
      password: variables.BARGE_TEST_POSTGRES_PASSWORD,
    },
    s3: {
      url: variables.BARGE_TEST_S3,
      accessKey: variables.BARGE_TEST_S3_KEY,
      secretKey: variables.BARGE_TEST_S3_SECRET,
    },
  };
}

async function pidIn(file: string): Promise<number> {
  return Number((await Deno.readTextFile(file)).split("\n")[0]);
}

async function pidsBelow(folder: string): Promise<number[]> {
  const files = await Array.fromAsync(Deno.readDir(folder));
  return await Promise.all(
    files.filter(({ name }) => name.endsWith(".pid")).map(({ name }) => pidIn(`${folder}/${name}`)),
  );
}
