/** Contest `tree`: a tree of small files, down and up. */
import { isInMemory } from "../place.ts";
import { startBench } from "../program.ts";
import { barge } from "./barge.ts";
import { assertSame, type Workspace } from "./workspace.ts";
import type { Contest, Entry } from "./contest.ts";
import { timed } from "./process.ts";
import { Fleet, sshOptions } from "./servers.ts";

interface Way {
  readonly name: string;
  /** The folder of the tree below the download folder; default: the download folder. */
  readonly below?: string;
  /** @param to an empty local folder */
  down?(to: string): Promise<number>;
  /** @param to a new name below `up` */
  up?(to: string): Promise<number>;
}

export async function* tree(workspace: Workspace): AsyncGenerator<Contest> {
  const { source, scale } = workspace;
  await using ours = await startBench({ dir: workspace.work });
  await using relaxed = await startBench({ dir: workspace.work }, "--durability", "relaxed");
  await using fleet = await Fleet.start(workspace, "rsync", "nginx", "vsftpd", "sshd");
  const homes = new Map<Way, string>();
  const own = async (name: string, server: typeof ours): Promise<Way> => {
    await server.run("put", "-q", "-r", `${source}/tree/`, "/home/tree");
    await server.run("mkdir", "/home/up");
    const way: Way = {
      name,
      down: (to) => barge(server, ["get", "-q", "-r", "/home/tree/", to]),
      up: (to) => barge(server, ["put", "-q", "-r", `${source}/tree/`, `/home/up/${to}`]),
    };
    homes.set(way, server.home);
    return way;
  };
  const ways: Way[] = [
    await own("barge", ours),
    await own("barge, --durability relaxed", relaxed),
    ...peers(workspace, fleet, !await isInMemory(workspace.work)),
  ];
  const what = `${(scale.folders * scale.filesPerFolder).toLocaleString("en-US")} files of 4 KiB`;
  const common = { unit: "s", better: "less", digits: 3, columns: ["files/s"] } as const;
  const kind = (way: Way) => homes.has(way) ? "ours" : "peer";
  const sample = (value: number) => ({
    value,
    more: { "files/s": scale.folders * scale.filesPerFolder / value },
  });
  const down = (way: Way): Entry | undefined =>
    way.down && {
      name: way.name,
      kind: kind(way),
      async run(round) {
        const back = await workspace.fresh();
        const seconds = await way.down!(back);
        await assertSame(`${source}/tree`, `${back}${way.below ?? ""}`, round === 0);
        return sample(seconds);
      },
    };
  yield { title: `${what} in ${scale.folders} folders, down`, entries: ways.map(down), ...common };
  const up = (way: Way, i: number): Entry | undefined =>
    way.up && {
      name: way.name,
      kind: kind(way),
      async run(round) {
        const to = `${i}-${round}`;
        const seconds = await way.up!(to);
        await assertSame(
          `${source}/tree`,
          `${homes.get(way) ?? workspace.root}/up/${to}`,
          round === 0,
        );
        if (!homes.has(way)) await workspace.sweep();
        return sample(seconds);
      },
    };
  yield { title: `${what} in ${scale.folders} folders, up`, entries: ways.map(up), ...common };
}

/** @param onDisk whether to add what the peers need to sync their files */
function peers(workspace: Workspace, fleet: Fleet, onDisk: boolean): Way[] {
  const { source, root, work, scale, tools } = workspace;
  const { rsync, curl, lftp, scp, sftp } = tools;
  const names = Array.from(
    { length: scale.folders },
    (_, d) => Array.from({ length: scale.filesPerFolder }, (_, f) => `d${d}/f${f}`),
  ).flat();
  const byRsync = (name: string, ...more: string[]) =>
    rsync && fleet.with("rsync", ({ port }): Way => {
      const url = `rsync://127.0.0.1:${port}/root`;
      return {
        name,
        down: (to) => timed(rsync, ["-a", ...more, `${url}/down/tree/`, to]),
        up: (to) => timed(rsync, ["-a", ...more, `${source}/tree/`, `${url}/up/${to}/`]),
      };
    });
  const ways: (Way | false | undefined | "")[] = [
    byRsync("rsync daemon, rsync -a"),
    onDisk && byRsync("rsync daemon, rsync -a --fsync", "--fsync"),
    // curl gets all names in its configuration, so it fetches no listing.
    curl && fleet.with("nginx", ({ port }) => ({
      name: "nginx, curl --parallel",
      down: (to) =>
        many(curl, (name) => [
          `url = "http://127.0.0.1:${port}/down/tree/${name}"`,
          `output = "${to}/${name}"`,
        ]),
      up: (to) =>
        many(curl, (name) => [
          `url = "http://127.0.0.1:${port}/up/${to}/${name}"`,
          `upload-file = "${source}/tree/${name}"`,
        ]),
    })),
    lftp && fleet.with("vsftpd", ({ port }) => {
      const script = (line: string) =>
        timed(lftp, [
          "-c",
          "set net:max-retries 1; set ftp:ssl-allow no; set cmd:fail-exit yes; " +
          "set mirror:set-permissions no; " +
          `open -u anonymous,bench ftp://127.0.0.1:${port}; ${line}`,
        ], { env: { HOME: work } });
      return {
        name: "vsftpd, lftp mirror -P8",
        down: (to) => script(`mirror -P8 /down/tree ${to}`),
        up: (to) => script(`mirror -R -P8 ${source}/tree /up/${to}`),
      };
    }),
    scp && fleet.with("sshd", ({ port }) => ({
      name: "sshd, scp -r",
      below: "/tree",
      down: async (to) =>
        timed(scp, ["-r", ...await sshOptions(workspace, port), `127.0.0.1:${root}/down/tree`, to]),
      up: async (to) =>
        timed(scp, [
          "-r",
          ...await sshOptions(workspace, port),
          `${source}/tree`,
          `127.0.0.1:${root}/up/${to}`,
        ]),
    })),
    sftp && fleet.with("sshd", ({ port }) => ({
      name: "sshd, sftp get -r",
      below: "/tree",
      async down(to) {
        await Deno.writeTextFile(`${work}/batch`, `get -r ${root}/down/tree ${to}\n`);
        return timed(sftp, [
          "-b",
          `${work}/batch`,
          ...await sshOptions(workspace, port),
          "127.0.0.1",
        ]);
      },
    })),
  ];
  return ways.filter((way) => !!way);

  async function many(curl: string, lines: (name: string) => string[]): Promise<number> {
    const config = ["create-dirs", ...names.flatMap(lines)].join("\n") + "\n";
    await Deno.writeTextFile(`${work}/curl.conf`, config);
    return await timed(curl, [
      "-sSf",
      "--parallel",
      "--parallel-max",
      "8",
      "-K",
      `${work}/curl.conf`,
    ]);
  }
}
