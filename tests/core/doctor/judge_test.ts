/** The judgments of `barge doctor` on what this machine can't be made to show: mounts, nodes, clocks. */
import assert from "node:assert/strict";
import { judgeClock } from "../../../core/doctor/clock.ts";
import { judgeNodes } from "../../../core/doctor/cluster_nodes.ts";
import { judgeBytes } from "../../../core/doctor/disk_room.ts";
import { judgeMount } from "../../../core/doctor/file_system.ts";
import { mountOf } from "../../../core/doctor/mounts.ts";
import { unitUser, userOf } from "../../../core/doctor/server_user.ts";

Deno.test("doctor reads the server's user and its groups from a unit and its drop-ins", () => {
  const unit = "[Service]\nUser=barge\nGroup=barge\n";
  const added = "[Service]\nUser=files\nSupplementaryGroups=tls 41\n";
  assert.deepEqual(unitUser([unit, added]), { user: "files", groups: ["barge", "tls", "41"] });
  assert.deepEqual(unitUser([""]), { user: undefined, groups: [] });
  const passwd = "root:x:0:0::/root:/bin/sh\nfiles:x:990:980::/:/bin/false\n";
  const group = "barge:x:42:\ntls:x:40:ann\nstaff:x:50:bob,files\n";
  const user = userOf("files", passwd, group, ["barge", "tls", "41"]);
  assert.deepEqual([user?.uid, [...user!.groups].sort()], [990, [40, 41, 42, 50, 980]]);
  assert.equal(userOf("gone", passwd, group, []), undefined);
});

const mounts = `/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw,size=1g 0 0
box:/export /srv nfs4 rw,vers=4.2 0 0
/dev/sdb1 /srv/barge xfs rw 0 0
alice@box: /home/alice/my\\040box fuse.sshfs rw 0 0
//box/share /mnt/share cifs rw 0 0
/dev/sdc1 /old ext4 ro,errors=remount-ro 0 0
/dev/sdd1 /data ext4 rw 0 0
box:/late /data nfs rw 0 0
overlay /container overlay rw 0 0
`;

Deno.test("doctor judges a data directory by the file system that holds it", () => {
  const judge = (path: string) => judgeMount(mountOf(mounts, path)!, path).severity;
  assert.equal(judge("/var/lib/barge"), "ok");
  assert.equal(judge("/run/barge"), "warn");
  assert.equal(judge("/srv/other"), "bad");
  assert.equal(judge("/srv/barge/data"), "ok");
  assert.equal(judge("/home/alice/my box/data"), "bad");
  assert.equal(judge("/mnt/share"), "bad");
  assert.equal(judge("/old"), "bad");
  assert.equal(judge("/data/barge"), "bad"); // the later mount hides the earlier one
  assert.equal(judge("/container/data"), "warn");
  assert.equal(judge("/running"), "ok");
});

Deno.test("doctor judges free bytes by their share of the disk", () => {
  const judge = (free: number, total: number) => judgeBytes(free, total, "/").severity;
  assert.equal(judge(10e9, 100e9), "ok");
  assert.equal(judge(4e9, 100e9), "warn");
  assert.equal(judge(0.5e9, 100e9), "bad");
  assert.equal(judge(200e9, 100e12), "ok");
});

Deno.test("doctor judges clocks by their difference, in both directions", () => {
  assert.equal(judgeClock("the database", 400).severity, "ok");
  assert.equal(judgeClock("the database", -30_000).severity, "warn");
  assert.match(judgeClock("the database", -30_000).message, /is 30 s behind this machine's/);
  assert.equal(judgeClock("the database", 120_000).severity, "bad");
});

Deno.test("doctor judges nodes that do not reach the bucket, and this program's version", () => {
  const node = { name: "east", state: "running", version: "1.0.0", bucket: true } as const;
  const severities = (nodes: Parameters<typeof judgeNodes>[0]) =>
    judgeNodes(nodes, "1.0.0").map(({ severity }) => severity);
  assert.deepEqual(severities([node, { ...node, name: "west" }]), ["ok"]);
  assert.deepEqual(severities([{ ...node, bucket: false }]), ["bad"]);
  assert.deepEqual(severities([{ ...node, version: "2.0.0" }]), ["note"]);
  assert.deepEqual(severities([]), ["note"]);
});
