/** A tree of small files, down and up. */
import { startBench } from "../program.ts";
import { barge } from "./barge.ts";
import { type Bed, same } from "./bed.ts";
import type { Contest, Entry } from "./contest.ts";
import { timed } from "./process.ts";
import { Fleet, sshOptions } from "./servers.ts";

/** A way to move a tree; each is given where to, and says where below that the tree will be. */
interface Way {
  readonly name: string;
  readonly below?: string;
  /** @param to a folder of this machine that is there, and empty */
  down?(to: string): Promise<number>;
  /** @param to a name below `up` that is not there */
  up?(to: string): Promise<number>;
}

export async function* tree(bed: Bed): AsyncGenerator<Contest> {
  const { source, scale } = bed;
  await using ours = await startBench({ dir: bed.work });
  await using relaxed = await startBench({ dir: bed.work }, "--durability", "relaxed");
  await using fleet = await Fleet.start(bed, "rsync", "nginx", "vsftpd", "sshd");
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
    ...peers(bed, fleet),
  ];
  const what = `${(scale.folders * scale.each).toLocaleString("en-US")} files of 4 KiB`;
  const common = { unit: "s", better: "less", digits: 3, columns: ["files/s"] } as const;
  const kind = (way: Way) => homes.has(way) ? "ours" : "peer";
  const sample = (value: number) => ({
    value,
    more: { "files/s": scale.folders * scale.each / value },
  });
  const down = (way: Way): Entry | undefined =>
    way.down && {
      name: way.name,
      kind: kind(way),
      async run(round) {
        const back = await bed.fresh();
        const seconds = await way.down!(back);
        await same(`${source}/tree`, `${back}${way.below ?? ""}`, round === 0);
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
        await same(`${source}/tree`, `${homes.get(way) ?? bed.root}/up/${to}`, round === 0);
        if (!homes.has(way)) await bed.sweep();
        return sample(seconds);
      },
    };
  yield { title: `${what} in ${scale.folders} folders, up`, entries: ways.map(up), ...common };
}

function peers(bed: Bed, fleet: Fleet): Way[] {
  const { source, root, work, scale, tools } = bed;
  const { rsync, curl, lftp, scp, sftp } = tools;
  const names = Array.from(
    { length: scale.folders },
    (_, d) => Array.from({ length: scale.each }, (_, f) => `d${d}/f${f}`),
  ).flat();
  const ways: (Way | false | undefined | "")[] = [
    rsync && fleet.with("rsync", ({ port }) => ({
      name: "rsync daemon, rsync -a",
      down: (to) => timed(rsync, ["-a", `rsync://127.0.0.1:${port}/root/down/tree/`, to]),
      up: (to) =>
        timed(rsync, ["-a", `${source}/tree/`, `rsync://127.0.0.1:${port}/root/up/${to}/`]),
    })),
    // All names are known to curl beforehand: it has no listing to fetch.
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
        timed(scp, ["-r", ...await sshOptions(bed, port), `127.0.0.1:${root}/down/tree`, to]),
      up: async (to) =>
        timed(scp, [
          "-r",
          ...await sshOptions(bed, port),
          `${source}/tree`,
          `127.0.0.1:${root}/up/${to}`,
        ]),
    })),
    sftp && fleet.with("sshd", ({ port }) => ({
      name: "sshd, sftp get -r",
      below: "/tree",
      async down(to) {
        await Deno.writeTextFile(`${work}/batch`, `get -r ${root}/down/tree ${to}\n`);
        return timed(sftp, ["-b", `${work}/batch`, ...await sshOptions(bed, port), "127.0.0.1"]);
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
