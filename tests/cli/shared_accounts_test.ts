/** The operator's verbs on storage that many machines share, beside the same on a data directory. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { sharedCertificate, sharedHostKeys } from "../../core/shared/identity.ts";
import { Store } from "../../core/local/store.ts";
import type { LoginStore } from "../../core/storage/logins.ts";
import { banAfter } from "../contract/store/_suite_people.ts";
import { hasEngines } from "../contract/store/_shared.ts";
import { store, text } from "../contract/store/_suite_uploads.ts";
import { startServer } from "../_server.ts";
import { Home, lines, type Outcome, type RunOptions } from "./_barge.ts";
import { Cluster } from "./_cluster.ts";

const ignore = !hasEngines;
const keys = fileURLToPath(new URL("../../fixtures/sftp/ssh/", import.meta.url));
const env = { BARGE_PASSWORD: "secret-enough" };

type Run = (args: readonly string[], options?: RunOptions) => Promise<Outcome>;

/** Work at the server between two command lines. */
type Work = (logins: LoginStore) => Promise<void>;
/** A command line, with its standard input; or work. */
type Step = readonly [line: string, stdin?: string] | Work;

async function issueTokens(logins: LoginStore): Promise<void> {
  const { account, credential } = (await logins.byPassword("anna"))!;
  const first = (await logins.issueToken({ id: account.id, credential }, "laptop"))!;
  const token = { id: account.id, credential: { kind: "token", id: first.id } } as const;
  await logins.issueToken(token, "desk");
}

async function failLogins(logins: LoginStore): Promise<void> {
  const { account } = (await logins.byPassword("anna"))!;
  for (let i = 0; i < banAfter; i++) {
    await logins.failed({ account, name: "anna", mechanism: "password", host: "192.0.2.7" });
  }
}

const declared = JSON.stringify({
  accounts: [
    { name: "carl", password: "from the file", quota: "5GiB" },
    { name: "anna", role: "admin", password: "another one" },
    { name: "root", role: "user", entries: 7 },
    { name: "bob", state: "absent" },
    { name: "dora", password: "from the file", role: "admin", disabled: true },
  ],
});
const withoutAdmin =
  '{"accounts": [{"name": "carl", "quota": 5}, {"name": "anna", "state": "absent"}]}';

const steps: readonly Step[] = [
  ["user add anna --json"],
  ["user add Anna"],
  ["user add bob --quota 20GiB --entries 5"],
  ["user add root --admin --json"],
  ["user add ../x"],
  ["user list"],
  ["user list --json"],
  ["user show anna"],
  ["user show anna --json"],
  ["user show nobody"],
  ["user passwd anna --json"],
  ["user passwd nobody"],
  ["user disable root"],
  ["user disable bob --json"],
  ["user enable bob"],
  ["quota set bob 1GiB"],
  ["quota set bob --entries none --json"],
  ["quota set bob"],
  ["quota list"],
  ["quota list --json"],
  ["user key add anna", Deno.readTextFileSync(`${keys}/ssh_host_ed25519_key.pub`)],
  ["user key add anna --json", Deno.readTextFileSync(`${keys}/ssh_host_rsa_key.pub`)],
  ["user key add anna", Deno.readTextFileSync(`${keys}/ssh_host_rsa_key.pub`)],
  ["user key list anna"],
  ["user key list anna --json"],
  ["user key remove anna none"],
  ["user key remove anna barge"],
  ["user key remove anna all --json"],
  issueTokens,
  ["user show anna --json"],
  ["user tokens anna --json"],
  ["user tokens anna --revoke none"],
  ["user tokens anna --revoke all"],
  ["user tokens anna"],
  ["ban list --json"],
  failLogins,
  ["ban list"],
  ["ban list --json"],
  ["ban lift 192.0.2.7 --json"],
  ["ban lift ANNA"],
  ["ban lift anna"],
  ["user apply - --dry-run --json", declared],
  ["user apply - --json", declared],
  ["user apply - --json", declared],
  ["user list --json"],
  ["user apply -", withoutAdmin],
  ["user remove anna"],
  ["user remove carl --json"],
  ["user remove carl"],
];

/** Returns the outcomes of all steps, without what differs each time. */
async function outcomes(barge: Run, serve: (work: Work) => Promise<void>) {
  const all: (Outcome & { line: string })[] = [];
  for (const step of steps) {
    if (step instanceof Function) {
      await serve(step);
      continue;
    }
    const [line, stdin] = step;
    const { code, stdout, stderr } = await barge(line.split(" "), { env, stdin });
    all.push({ line, code, stdout: masked(stdout), stderr: masked(stderr) });
  }
  return all;
}

function masked(text: string): string {
  return text.replace(/^(data directory|storage|the directory is new).*\n/gm, "")
    .replace(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?|\d{4}-\d\d-\d\d/g, "TIME")
    .replace(/\b[0-9a-f]{12}\b/g, "ID");
}

Deno.test({
  name: "each verb does on a fresh cluster what it does on a data directory",
  ignore,
  async fn() {
    await using cluster = await Cluster.make();
    await using home = new Home();
    const data = `${home.path}/data`;
    const onDirectory = outcomes(
      (args, options) => home.barge([...args, "--data", "data"], options),
      async (work) => {
        const rules = { allowRegister: false, defaultLimit: null, maxLimit: null, banAfter };
        using store = new Store({ data, durability: "relaxed", ...rules });
        await work(store.people.logins);
      },
    );
    const onCluster = outcomes(
      (args, options) => cluster.barge(args, options),
      (work) => work(cluster.open().people.logins),
    );
    const [local, shared] = await Promise.all([onDirectory, onCluster]);
    for (const [i, outcome] of local.entries()) assert.deepEqual(shared[i], outcome);
    const codes = new Set(local.map(({ code }) => code));
    assert.deepEqual([...codes].sort((a, b) => a - b), [0, 2, 4, 6, 14]);
  },
});

Deno.test({
  name: "each verb names the storage, and only user add and user apply make its tables",
  ignore,
  async fn() {
    await using cluster = await Cluster.make();
    const anna = '{"accounts": [{"name": "anna", "password": "secret-enough"}]}';
    for (const line of ["user list", "ban list", "quota set anna 5", "user remove anna", "cert"]) {
      const { code, stderr } = await cluster.barge(line.split(" "));
      assert.equal(code, 4, stderr);
      assert.match(stderr, /^storage: postgres:\/\/\S+ and http\S+\nbarge: .*no tables of barge/);
    }
    const dry = await cluster.barge(["user", "apply", "-", "--dry-run"], { stdin: anna });
    assert.equal(dry.code, 0, dry.stderr);
    assert.equal((await cluster.barge(["user", "list"])).code, 4);
    const names = ["anna", "bob", "carl"];
    const made = await Promise.all([
      cluster.barge(["user", "apply", "-"], { stdin: anna }),
      ...names.slice(1).map((name) => cluster.barge(["user", "add", name], { env })),
    ]);
    for (const { code, stderr } of made) assert.equal(code, 0, stderr);
    const list = await cluster.barge(["user", "list", "--json"]);
    assert.deepEqual(lines(list).map(({ name }) => name), names);
  },
});

Deno.test({
  name:
    "a wrong key, a wrong password, a missing database or bucket each end with 7 and the reason",
  ignore,
  async fn() {
    await using cluster = await Cluster.make();
    cluster.file("other-key", "0".repeat(64));
    cluster.file("other-keys", "somebody\nelse\n");
    const add = (name: string, others: Record<string, string>) =>
      cluster.home.barge(["user", "add", name, ...cluster.options(others)], { env });
    const bucket = cluster.bucket.replace("barge-tests", "barge-none");
    const missing = await add("anna", { "--bucket": bucket });
    assert.deepEqual([missing.code, /bucket does not exist/.test(missing.stderr)], [7, true]);
    assert.equal((await cluster.barge(["user", "list"])).code, 4, "nothing was made");
    assert.equal((await add("anna", {})).code, 0);
    const cases: [Record<string, string>, RegExp][] = [
      [{ "--cluster-key": "other-key" }, /sealed with another key\n\(.*--cluster-key/],
      [{ "--store-password-file": "other-key" }, /database refuses the user or the password/],
      [{ "--store": cluster.store.replace(/[^/]+$/, "none") }, /no such database\n.*--store/],
      [{ "--bucket-keys-file": "other-keys" }, /object store refuses the request/],
    ];
    for (const [others, why] of cases) {
      const { code, stdout, stderr } = await add("bob", others);
      assert.deepEqual([code, stdout], [7, ""], stderr);
      assert.match(stderr, why);
    }
    const { code, stderr } = await cluster.home.barge(
      ["user", "list", ...cluster.options({ "--cluster-key": "other-key" })],
    );
    assert.equal(code, 7, stderr);
    assert.deepEqual(lines(await cluster.barge(["user", "list", "--json"])).length, 1);
  },
});

Deno.test({
  name: "the environment names the cluster, and --data beside it is refused",
  ignore,
  async fn() {
    await using cluster = await Cluster.make();
    const variables: Record<string, string> = { ...env, ...cluster.variables };
    const run = (...args: string[]) => cluster.home.barge(args, { env: variables });
    const made = await run("user", "add", "anna", "--json");
    assert.equal(made.code, 0, made.stderr);
    assert.equal(lines(await cluster.barge(["user", "list", "--json"])).length, 1);
    const both = await run("user", "remove", "anna", "--data", "data");
    assert.equal(both.code, 2);
    assert.match(both.stderr, /--data and --store exclude each other\n\(.*unset BARGE_STORE/);
    const secrets = [variables.BARGE_STORE_PASSWORD, variables.BARGE_BUCKET_SECRET_KEY];
    for (const secret of [...secrets, variables.BARGE_CLUSTER_KEY]) {
      assert(!made.stderr.includes(secret), "no secret is shown");
    }
  },
});

Deno.test({
  name: "a node knows an account at once, until it is disabled, and shows the certificate of cert",
  ignore,
  async fn() {
    await using cluster = await Cluster.make();
    const secret = { BARGE_PASSWORD: "anna-secret" };
    const env = cluster.variables;
    await using server = await startServer({ store: [], env, args: ["--tls"] });
    assert.equal((await cluster.barge(["user", "add", "anna"], { env: secret })).code, 0);
    const client = { ...secret, BARGE_SERVER: `barge://anna@${server.address}` };
    const list = () => cluster.home.barge(["ls", "/home", "--tls"], { env: client });
    const first = await list();
    assert.equal(first.code, 0, first.stderr);
    const [{ fingerprint }] = lines(await cluster.barge(["cert", "--json"]));
    assert.equal(fingerprint, server.facts.fingerprint);
    assert.equal((await cluster.barge(["user", "disable", "anna"])).code, 0);
    assert.equal((await list()).code, 11);
  },
});

Deno.test({
  name: "verify checks and repairs the cluster, and ends with 13 for what is left",
  ignore,
  async fn() {
    await using cluster = await Cluster.make();
    await cluster.barge(["user", "add", "anna"], { env });
    const storage = cluster.open();
    const { id } = await storage.people.accounts.get("anna");
    await storage.people.accounts.makeHome("anna");
    const place = { dir: "homes/anna", name: "f" };
    await store(storage.uploads, id, text("12345"), place);
    const good = await cluster.barge(["verify"]);
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stderr, /^storage: .*\n1 file compared, 5 B read: all agree\n$/);

    await storage.parts.db.all("UPDATE account SET used = 7");
    const wrong = await cluster.barge(["verify", "--quick"]);
    assert.equal(wrong.code, 13, wrong.stderr);
    assert.match(wrong.stdout, /^anna: /);
    assert.match(wrong.stderr, /1 file compared: 1 differs, 0 repaired\n\(--repair corrects sums/);
    const repaired = await cluster.barge(["verify", "--quick", "--repair", "--json"]);
    assert.equal(repaired.code, 0, repaired.stderr);
    const [problem, summary] = lines(repaired);
    assert.deepEqual([problem.kind, problem.path, problem.repaired], ["sums", "anna", true]);
    assert.deepEqual(summary, {
      ...{ type: "summary", files: 1, bytes: 0 },
      ...{ problems: 1, repaired: 1, open: 0, copied: 0 },
    });
    assert.equal(lines(await cluster.barge(["user", "show", "anna", "--json"]))[0].used, 5);

    await storage.parts.db.all("UPDATE content SET sha256 = decode(repeat('00', 32), 'hex')");
    const damaged = await cluster.barge(["verify", "-q"]);
    assert.equal(damaged.code, 13);
    assert.equal(damaged.stderr, "");
    assert.match(damaged.stdout, /^homes\/anna\/f: /);
  },
});

Deno.test({
  name: "cert prints the certificate and the host keys that the nodes share",
  ignore,
  async fn() {
    await using cluster = await Cluster.make();
    await cluster.barge(["user", "add", "anna"], { env });
    const none = await cluster.barge(["cert"]);
    assert.equal(none.code, 4);
    assert.match(none.stderr, /cert: there is no certificate yet\n\(`barge serve` makes it/);
    const { secrets } = cluster.open().parts;
    const { fingerprint } = await sharedCertificate(secrets, ["192.0.2.1"]);
    const { shown } = await sharedHostKeys(secrets);
    const [cert] = lines(await cluster.barge(["cert", "--json"]));
    assert.deepEqual([cert.file, cert.fingerprint], [null, fingerprint]);
    assert(cert.names.includes("192.0.2.1"));
    assert.deepEqual(cert.hostKeys, shown.map((key) => ({ ...key, file: null })));
    const { stdout } = await cluster.barge(["cert"]);
    assert.deepEqual(stdout.split("\n").slice(3, -1), [
      `${shown[0].fingerprint} ssh-ed25519`,
      `${shown[1].fingerprint} ssh-rsa`,
    ]);
    assert(stdout.startsWith(`${fingerprint}\n  names `));
  },
});

const bucketOption = ["--bucket", "s3+https://s3.example/files"];
const storeOption = ["--store", "postgres://barge@db.example/barge"];

Deno.test("secrets on the command line are refused, and not repeated", async () => {
  await using home = new Home();
  const cases: [string[], RegExp][] = [
    [
      ["--store", "postgres://barge:hush-hush@db.example/barge", ...bucketOption],
      /may not hold a password\n\(use --store-password-file or BARGE_STORE_PASSWORD\)/,
    ],
    [
      [...storeOption, "--bucket", "s3+https://key:hush-hush@s3.example/files"],
      /may not hold a password\n\(use --bucket-keys-file/,
    ],
  ];
  for (const verb of ["user list", "ban list", "cert", "quota list"]) {
    for (const [options, why] of cases) {
      const { code, stdout, stderr } = await home.barge([...verb.split(" "), ...options]);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, why);
      assert(!stderr.includes("hush-hush"), stderr);
    }
  }
});

Deno.test("a part of the cluster's options that is missing is named", async () => {
  await using home = new Home();
  await Deno.writeTextFile(`${home.path}/keys`, "key\nsecret\n");
  await Deno.writeTextFile(`${home.path}/short`, "00ff\n");
  const withKeys = [...storeOption, ...bucketOption, "--bucket-keys-file", "keys"];
  const cases: [string[], RegExp][] = [
    [storeOption, /given together\n\(use --store and --bucket\)/],
    [bucketOption, /given together/],
    [[...storeOption, ...bucketOption], /keys of the bucket are missing\n\(use --bucket-keys-file/],
    [withKeys, /key of the cluster is missing\n\(.*--cluster-key/],
    [[...withKeys, "--cluster-key", "short"], /short: it is not a key of the cluster/],
  ];
  for (const [options, why] of cases) {
    const { code, stderr } = await home.barge(["user", "list", ...options]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
  }
});

Deno.test("a verb that needs a data directory refuses a cluster, and names the alternative", async () => {
  await using home = new Home();
  const cases: [string[], RegExp][] = [
    [["quota", "verify"], /quota verify: this works on a data directory.*\n\(.*barge verify/],
    [["serve", "--print-unit"], /--print-unit does not take --store.*\n\(.*EnvironmentFile=/],
    [["user", "add", "anna", "--adopt"], /--adopt is for data directories/],
    [["verify", "--accept", "homes/anna/f"], /--accept is for data directories\n\(upload/],
  ];
  for (const [args, why] of cases) {
    const { code, stderr } = await home.barge([...args, ...storeOption, ...bucketOption], { env });
    assert.equal(code, 2, stderr);
    assert.match(stderr, why);
  }
});

/** A module of `deno info --json`. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly code?: { readonly specifier: string };
    readonly isDynamic?: boolean;
  }[];
}

/** Returns the modules that some files load at once: without types, and without dynamic imports. */
async function loadedBy(root: URL, files: readonly string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: root,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const loaded = new Set(files.map((file) => new URL(file, root).href));
  for (const specifier of loaded) {
    const imports = known.get(specifier)?.dependencies ?? [];
    for (const { code, isDynamic } of imports) if (code && !isDynamic) loaded.add(code.specifier);
  }
  return [...loaded];
}

Deno.test("nothing of shared storage is loaded without --store", async () => {
  const root = new URL("../../", import.meta.url);
  const verbs = [
    "user/add.ts",
    "user/apply.ts",
    "ban/list.ts",
    "quota/set.ts",
    "cert.ts",
    "backup.ts",
    "status.ts",
    "serve.ts",
  ];
  const loaded = await loadedBy(root, [
    "main.ts",
    ...verbs.map((verb) => `cmd/${verb}`),
    "core/local/store.ts",
    "core/serve/serve.ts",
    "core/serve/local_ground.ts",
    "core/serve/worker.ts",
  ]);
  assert(loaded.some((specifier) => specifier.endsWith("core/local/account/accounts.ts")));
  const shared = (specifier: string) => /core\/shared\/|npm:.*(postgres|aws4fetch)/.test(specifier);
  assert.deepEqual(loaded.filter(shared), []);
  const opened = await loadedBy(root, ["cmd/_data/shared.ts"]);
  assert(opened.some(shared), "it is where --store loads it");
});
