/** The requests of clients that can't be run here, as they send them (fixtures/sftp/README.md). */
import assert from "node:assert/strict";
import { type Attrs, PacketWriter, Status, Type } from "../../../../core/door/sftp/packet.ts";
import { SftpHere } from "./_here.ts";
import { type Reply, SftpPeer } from "./_peer.ts";

interface Step {
  readonly ask: string;
  readonly as?: string;
  readonly handle?: string;
  readonly paths?: readonly string[];
  readonly flags?: number;
  readonly attrs?: Attrs;
  readonly offset?: number;
  readonly length?: number;
  readonly ahead?: boolean;
  readonly answer: string;
  readonly size?: number;
}

interface Conversation {
  readonly client: string;
  readonly version: number;
  readonly requests: readonly Step[];
}

const types: Readonly<Record<string, number>> = Type;
const folder = new URL("../../../../fixtures/sftp/", import.meta.url);
const byte = (n: number) => n % 251;

for (const name of ["winscp", "filezilla"]) {
  const text = Deno.readTextFileSync(new URL(`${name}.json`, folder));
  const { client, version, requests } = JSON.parse(text) as Conversation;
  Deno.test(`${client}`, async () => {
    await using here = await SftpHere.start();
    await using peer = await SftpPeer.raw(await here.ssh());
    await peer.init(version);
    const handles = new Map<string, Uint8Array>();
    let waiting: number[] = [];
    for (const [i, step] of requests.entries()) {
      peer.send(packetOf(step, i, handles));
      waiting.push(i);
      if (step.ahead) continue;
      for (const id of waiting) check(await peer.reply(), id, requests[id], handles);
      waiting = [];
    }
  });
}

function packetOf(step: Step, id: number, handles: Map<string, Uint8Array>): Uint8Array {
  const type = types[step.ask];
  const packet = new PacketWriter(type ?? Type.EXTENDED, id);
  if (type === undefined) packet.text(step.ask);
  if (step.handle !== undefined) packet.bytes(handles.get(step.handle)!);
  for (const path of step.paths ?? []) packet.text(path);
  if (step.flags !== undefined) packet.int(step.flags);
  if (step.attrs !== undefined) packet.attrs(step.attrs);
  if (step.offset !== undefined) packet.long(step.offset);
  if (step.ask === "WRITE") packet.bytes(bytes(step.offset!, step.length!));
  else if (step.length !== undefined) packet.int(step.length);
  if (step.ask === "check-file-name") packet.text("sha256").long(0).long(0).int(0);
  return packet.done();
}

function check(
  { type, id, reader }: Reply,
  expected: number,
  step: Step,
  handles: Map<string, Uint8Array>,
): void {
  const what = `request ${expected}, ${JSON.stringify(step)}`;
  assert.equal(id, expected, what);
  if (type === Type.STATUS) {
    const code = reader.int();
    const said = Object.entries(Status).find(([, value]) => value === code)?.[0];
    return assert.equal(said, step.answer, `${what}: ${reader.text()}`);
  }
  assert.equal(type, types[step.answer], what);
  if (step.as !== undefined) handles.set(step.as, reader.bytes().slice());
  if (type === Type.ATTRS) assert.equal(reader.attrs().size, step.size, what);
  if (type === Type.DATA) {
    assert.deepEqual(reader.bytes().slice(), bytes(step.offset!, step.size!), what);
  }
}

function bytes(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => byte(offset + i));
}
