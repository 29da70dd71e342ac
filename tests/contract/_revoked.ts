/**
 * A login ends with the secret that it began with: once a token is revoked, a key removed or a password changed, the
 * next request of a login with it fails at every door, its transfers are cut, its connection is
 * ended, and so are the tokens that it has issued.
 */
import assert from "node:assert/strict";
import { Accounts } from "../../core/local/account/accounts.ts";
import { parseAuthorizedKeys } from "../../core/storage/public_key.ts";
import { Database } from "../../core/local/database/database.ts";
import { Keys } from "../../core/local/account/keys.ts";
import { fingerprintOf } from "../../core/storage/public_key.ts";
import { heldUploads, until } from "../_observe.ts";
import { verifierOf } from "../_passwords.ts";
import { type Server, startServer } from "../_server.ts";
import { pattern, Peer } from "../core/door/_peer.ts";
import { type DoorUnderTest, Refused, type Visitor } from "./_door.ts";

/** Of the accounts, until it is changed. Its key is prepared. */
const password = "bob-secret";
const uploadBytes = 700_000;
const sentBytes = 300_000;
/** More than any client takes in at the limited rate until the cut, which comes within three seconds. */
const downloadBytes = 64 * 2 ** 30;

/** A secret of an account, and how it ends. */
interface Revocable {
  readonly secret: string;
  revoke(): Promise<void> | void;
}

/** Declares the test of one door. */
export function endsLogins(door: DoorUnderTest): void {
  Deno.test(`the ${door.name} door ends a login with what it began with`, async (t) => {
    await using server = await startServer({
      args: ["--workers", "2", "--rate-down", "20MB", ...door.args],
    });
    const ways: Record<string, (name: string) => Promise<Revocable>> = {
      "a token is revoked": (name) => ownToken(server, name),
      "the password is changed": (name) => ownPassword(server, name),
      ...door.makeKey ? { "the key is removed": (name) => ownKey(server, name, door) } : {},
    };
    for (const [i, [name, make]] of Object.entries(ways).entries()) {
      await t.step(name, async () => {
        await server.addUser(`user${i}`, { password });
        await assertEnds(door, server, `user${i}`, await make(`user${i}`));
      });
    }
    await t.step("a token that a token has issued goes with it", async () => {
      await server.addUser("anna");
      const { secret, revoke } = await ownToken(server, "anna");
      const second = await issuedWith(server, secret);
      const last = await issuedWith(server, second);
      await using here = await door.visit(server, "anna", last);
      await revoke();
      await assertShutOut(door, here);
      for (const token of [secret, second, last]) {
        await assert.rejects(() => door.visit(server, "anna", token), Refused);
      }
    });
  });
}

async function assertEnds(
  door: DoorUnderTest,
  server: Server,
  account: string,
  { secret, revoke }: Revocable,
): Promise<void> {
  const visit = () => door.visit(server, account, secret);
  await using here = await visit();
  await using uploading = await visit();
  await using downloading = await visit();
  await here.put("/home/f", pattern(10));
  const finish = await uploading.begin("/home/g", pattern(uploadBytes), sentBytes);
  await until(() => heldUploads(server.data) === 1);
  // A hole: nobody has to wait until it is written.
  await Deno.writeFile(`${server.data}/homes/${account}/large`, new Uint8Array());
  await Deno.truncate(`${server.data}/homes/${account}/large`, downloadBytes);
  const stalled = await downloading.stall?.("/home/large");

  await revoke();
  await assertShutOut(door, here);
  await here.ended?.();
  if (stalled) assert.ok(await stalled() < downloadBytes, "the download went on");
  await until(() => heldUploads(server.data) === 0);
  await assert.rejects(finish);
  for (const visitor of [uploading, downloading]) await visitor.ended?.();
  await assert.rejects(visit, Refused);
  // The bytes that had arrived are no file, and stay for the account to go on with.
  const names = Array.from(Deno.readDirSync(`${server.data}/homes/${account}`), (f) => f.name);
  assert.deepEqual(names.sort(), ["f", "large"]);
}

/** The next request is answered as one without a login, or comes too late: the connection was cut. */
async function assertShutOut(door: DoorUnderTest, here: Visitor): Promise<void> {
  await assert.rejects(() => here.list("/home"), (error: Error) => {
    if (!here.ended) assert.match(error.message, door.notLoggedIn);
    return true;
  });
}

/** Logs in with a token. @returns another token, which that one has issued */
async function issuedWith(server: Server, token: string): Promise<string> {
  using peer = await Peer.open(server.address, token);
  return await peer.token();
}

async function ownToken(server: Server, name: string): Promise<Revocable> {
  const owner = await Peer.open(server.address, await server.issueToken(name));
  const { id, token } = await owner.ask({ verb: "token", action: "issue", label: "test" });
  const revoke = async () => {
    using _ = owner;
    await owner.ask({ verb: "token", action: "revoke", id });
  };
  return { secret: token as string, revoke };
}

/** As `barge user passwd` does it. */
async function ownPassword(server: Server, name: string): Promise<Revocable> {
  const verifier = await verifierOf("anna-secret");
  const revoke = () => {
    using db = new Database(server.data);
    new Accounts(db).change(name, { verifier });
  };
  return { secret: password, revoke };
}

/** As `barge user key` does it. */
function ownKey(server: Server, name: string, door: DoorUnderTest): Promise<Revocable> {
  const { secret, line } = door.makeKey!();
  const [key] = parseAuthorizedKeys(line);
  const id = (db: Database) => new Accounts(db).get(name).id;
  using db = new Database(server.data);
  new Keys(db).add(id(db), key);
  const revoke = () => {
    using db = new Database(server.data);
    assert.ok(new Keys(db).remove(id(db), fingerprintOf(key.blob)));
  };
  return Promise.resolve({ secret, revoke });
}
