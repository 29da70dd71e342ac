/** The ways that a file or a tree of files goes to storage and back. */
import { fileURLToPath } from "node:url";
import { barge } from "../peers/barge.ts";
import type { Entry } from "../peers/contest.ts";
import { timed } from "../peers/process.ts";
import type { Bench } from "../program.ts";
import type { ProcessGroup } from "./cpu_time.ts";
import type { Engines } from "./engines.ts";

export type Kind = "file" | "tree";

/** A way. Each transfer returns its seconds. */
export interface Way {
  readonly name: string;
  readonly kind: Entry["kind"];
  /** The servers whose CPU time counts as that of nodes. */
  readonly nodes: ProcessGroup;
  /** @param name the new name there */
  up(kind: Kind, path: string, name: string): Promise<number>;
  /** @param path a new name; for a tree an empty folder */
  down(kind: Kind, name: string, path: string): Promise<number>;
}

export const oneMachine = "one machine";
export const oneNode = "one node";
export const twoNodes = "two nodes";
export const bareClient = "aws4fetch alone";
export const relayWay = "a hop and the digests";

/** @param client the environment of the client. Default: that of the server's first account */
export function bargeWay(name: string, server: Bench, client = { env: server.env }): Way {
  return {
    name,
    kind: "ours",
    nodes: { pids: [server.server.pid] },
    up: (kind, path, to) =>
      barge(
        client,
        kind === "file"
          ? ["put", "-q", path, `/home/${to}`]
          : ["put", "-q", "-r", `${path}/`, `/home/${to}`],
      ),
    down: (kind, from, path) =>
      barge(
        client,
        kind === "file"
          ? ["get", "-q", `/home/${from}`, path]
          : ["get", "-q", "-r", `/home/${from}/`, path],
      ),
  };
}

/** @param bucket the URL of the bucket */
export function rcloneWay(rclone: string, { s3 }: Engines, bucket: string): Way {
  const env = {
    RCLONE_CONFIG: "/dev/null",
    // Debian's rclone does not start with this variable, which some systems set.
    AWS_CA_BUNDLE: "",
    RCLONE_CONFIG_BENCH_TYPE: "s3",
    RCLONE_CONFIG_BENCH_PROVIDER: "Ceph",
    RCLONE_CONFIG_BENCH_ENDPOINT: s3.url,
    RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: s3.accessKey,
    RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: s3.secretKey,
  };
  const base = `bench:${bucket.slice(s3.url.length + 1)}/rclone`;
  const run = (kind: Kind, from: string, to: string) => {
    const copy = kind === "file" ? ["copyto"] : ["copy", "--transfers", "32", "--checkers", "32"];
    return timed(rclone, [...copy, from, to], { env });
  };
  return {
    name: "rclone",
    kind: "peer",
    nodes: { pids: [] },
    up: (kind, path, name) => run(kind, path, `${base}/${name}`),
    down: (kind, name, path) => run(kind, `${base}/${name}`, path),
  };
}

/** Runs a command of s3_client.ts. @param bucket the URL of the bucket @returns seconds */
export function runS3Client(
  { s3 }: Engines,
  bucket: string,
  args: readonly string[],
): Promise<number> {
  const script = fileURLToPath(new URL("./s3_client.ts", import.meta.url));
  const env = { S3_BUCKET: bucket, S3_KEY: s3.accessKey, S3_SECRET: s3.secretKey };
  const run = ["run", "--quiet", "--no-check", "--allow-all", script];
  return timed(Deno.execPath(), [...run, ...args], { env });
}

/** @param bucket the URL of the bucket */
export function bareWay(engines: Engines, bucket: string): Way {
  const verb = (way: string, kind: Kind) => kind === "file" ? way : `${way}-tree`;
  const run = (...args: string[]) => runS3Client(engines, bucket, args);
  return {
    name: bareClient,
    kind: "floor",
    nodes: { pids: [] },
    up: (kind, path, name) => run(verb("put", kind), path, `bare/${name}`),
    down: (kind, name, path) => run(verb("get", kind), `bare/${name}`, path),
  };
}
