/** Tests WebDAV on a server of two workers. */
import assert from "node:assert/strict";
import { type Server, startServer } from "../../../../_server.ts";
import { type Answer, basic, Client, type Headers } from "../_client.ts";

/** A client that uses a new connection for each request, so that any worker may answer. */
class Caller {
  constructor(
    readonly server: Server,
    readonly name: string,
    readonly login: Headers = basic(name),
  ) {}

  async ask(method: string, path: string, headers: Headers = {}, body = ""): Promise<Answer> {
    const host = this.server.facts.http!;
    using client = await Client.open(host, { ...this.login, host });
    return await client.ask(method, `/dav${path}`, headers, body);
  }

  /** Returns the status of a response. */
  async does(method: string, path: string, headers: Headers = {}, body = ""): Promise<number> {
    return (await this.ask(method, path, headers, body)).status;
  }

  to(path: string): Headers {
    return { destination: `http://${this.server.facts.http}/dav${path}` };
  }

  /** @returns the token */
  async lock(path: string, headers: Headers = {}, scope = "exclusive"): Promise<string> {
    const answer = await this.ask("LOCK", path, headers, lockinfo(scope));
    assert.ok(answer.status < 300, `${answer.status} ${answer.text}`);
    return /^<(.*)>$/.exec(answer.headers.get("lock-token")!)![1];
  }

  async props(path: string, inner: string, depth = "0"): Promise<string> {
    const body = `<D:propfind xmlns:D="DAV:" xmlns:u="u:">${inner}</D:propfind>`;
    const { status, text } = await this.ask("PROPFIND", path, { depth }, body);
    assert.equal(status, 207, text);
    return text;
  }
}

const lockinfo = (scope: string) =>
  `<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:${scope}/></D:lockscope>` +
  `<D:locktype><D:write/></D:locktype><D:owner>me &amp; <x xmlns="y:"/></D:owner></D:lockinfo>`;
const patch = (inner: string) =>
  `<D:propertyupdate xmlns:D="DAV:" xmlns:u="u:">${inner}</D:propertyupdate>`;
const setting = (inner: string) => patch(`<D:set><D:prop>${inner}</D:prop></D:set>`);

Deno.test("WebDAV follows RFC 4918 on two workers", async (t) => {
  await using server = await startServer({
    args: [
      ...["--http", "127.0.0.1:0", "--workers", "2"],
      ...["--public-url", "https://files.example"],
    ],
  });
  await Promise.all(["anna", "bob"].map((name) => server.addUser(name)));
  await server.addUser("cy", { quota: "1000" });
  const [anna, bob, cy] = ["anna", "bob", "cy"].map((name) => new Caller(server, name));

  await t.step("the root has home and public, and can't be changed", async () => {
    const text = await anna.props("/", "<D:propname/>", "1");
    assert.deepEqual([...text.matchAll(/<D:href>(.*?)<\/D:href>/g)].map((m) => m[1]), [
      ...["/dav/", "/dav/home/", "/dav/public/"],
    ]);
    for (const path of ["/", "/home/", "/public"]) {
      assert.ok([403, 405, 409].includes(await anna.does("DELETE", path)), path);
      assert.equal(await anna.does("MKCOL", path), 405);
      assert.equal(await anna.does("PUT", path, {}, "x"), 405);
      assert.ok(await anna.does("LOCK", path, {}, lockinfo("exclusive")) >= 400);
    }
  });

  await t.step("unusual names are kept", async () => {
    const made = await anna.ask("MKCOL", "/home/names");
    assert.deepEqual([made.status, made.headers.get("content-length")], [201, "0"]);
    for (const name of ["a b", "ü", "😀", "100%", "a&b<c>'\"", "x\x01y", "?#", "-~.", ";=+,"]) {
      const path = `/home/names/${encodeURIComponent(name)}`;
      assert.equal(await anna.does("PUT", path, {}, name), 201, name);
    }
    const text = await anna.props("/home/names", "<D:prop><D:displayname/></D:prop>", "1");
    const hrefs = [...text.matchAll(/<D:href>(.*?)<\/D:href>/g)].map((m) => m[1]).slice(1);
    assert.equal(hrefs.length, 9);
    for (const href of hrefs) {
      const { text } = await anna.ask("GET", href.slice("/dav".length));
      assert.equal(encodeURIComponent(text), href.split("/").at(-1));
    }
    assert.match(text, /<D:displayname>a&amp;b&lt;c&gt;'&quot;<\/D:displayname>/);
  });

  await t.step("a large folder is listed completely, while it is read", async () => {
    await anna.does("MKCOL", "/home/huge");
    const dir = `${server.data}/homes/anna/huge`;
    for (let i = 0; i < 600; i++) Deno.writeTextFileSync(`${dir}/${i}`, "");
    const text = await anna.props("/home/huge", "<D:allprop/>", "1");
    assert.equal(text.match(/<D:response>/g)!.length, 601);
    assert.ok(text.endsWith("</D:multistatus>\n"));
  });

  await t.step("Depth infinity and a missing Depth are refused", async () => {
    for (const headers of [{ depth: "infinity" }, {}] as Headers[]) {
      const { status, text } = await anna.ask("PROPFIND", "/home/huge/", headers);
      assert.equal(status, 403);
      assert.match(text, /<D:propfind-finite-depth/);
    }
    assert.equal(await anna.does("PROPFIND", "/home/huge/0", { depth: "infinity" }), 207);
    assert.equal(await anna.does("PROPFIND", "/home", { depth: "2" }), 400);
  });

  await t.step("malicious and too large XML is refused", async () => {
    const bomb = `<!DOCTYPE a [<!ENTITY a "${"x".repeat(100)}"><!ENTITY b "${
      "&a;".repeat(100)
    }">]>`;
    const outside = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>';
    for (const head of [bomb, outside]) {
      const body = `${head}<D:propfind xmlns:D="DAV:"><D:prop><b>&b;</b></D:prop></D:propfind>`;
      assert.equal(await anna.does("PROPFIND", "/home", { depth: "0" }, body), 400);
      assert.equal(
        await anna.does("PROPPATCH", "/home/huge", {}, head + setting("<b>&b;</b>")),
        400,
      );
      assert.equal(await anna.does("LOCK", "/home/huge", {}, head + lockinfo("shared")), 400);
    }
    const deep = setting("<a>".repeat(5000) + "</a>".repeat(5000));
    assert.equal(await anna.does("PROPPATCH", "/home/huge", {}, deep), 400);
    const wide = `<D:propfind xmlns:D="DAV:"><D:prop>${"<a/>".repeat(300)}</D:prop></D:propfind>`;
    assert.equal(await anna.does("PROPFIND", "/home/huge", { depth: "1" }, wide), 400);
    const long = setting(`<a>${"x".repeat(300_000)}</a>`);
    assert.equal(await anna.does("PROPPATCH", "/home/huge", {}, long), 413);
    for (const [name, status] of [["a", 207], ["b", 507]] as const) {
      const large = setting(`<${name}>${"x".repeat(150_000)}</${name}>`);
      assert.equal(await anna.does("PROPPATCH", "/home/huge", {}, large), status);
    }
    assert.equal(await anna.does("PROPFIND", "/home", { depth: "0" }, "<x/>"), 400);
    assert.equal(await anna.does("LOCK", "/home/huge", {}, "<x/>"), 400);
  });

  await t.step(
    "all properties of a request are set or none, and they follow their file",
    async () => {
      await anna.does("PUT", "/home/a", {}, "a");
      const both = setting("<u:x>1</u:x><D:getetag>2</D:getetag>");
      const refused = await anna.ask("PROPPATCH", "/home/a", {}, both);
      assert.match(refused.text, /<D:getetag\/>.*403 Forbidden.*cannot-modify-protected-property/);
      assert.match(refused.text, /<x xmlns="u:"\/>.*424 Failed Dependency/);
      assert.match(await anna.props("/home/a", "<D:prop><u:x/></D:prop>"), /404 Not Found/);
      const rich = setting('<u:x xml:lang="de" q="1">a&lt;b<u:y/><z xmlns="v:">&amp;</z></u:x>');
      assert.equal(await anna.does("PROPPATCH", "/home/a", {}, rich), 207);
      assert.equal(await anna.does("COPY", "/home/a", anna.to("/home/b")), 201);
      assert.equal(await anna.does("MOVE", "/home/b", anna.to("/home/c")), 201);
      const wanted = '<x xmlns="u:" xml:lang="de" q="1">a&lt;b<y/><z xmlns="v:">&amp;</z></x>';
      for (const path of ["/home/a", "/home/c"]) {
        assert.ok((await anna.props(path, "<D:prop><u:x/></D:prop>")).includes(wanted), path);
        assert.ok((await anna.props(path, "<D:allprop/>")).includes(wanted), path);
      }
      await anna.does("DELETE", "/home/c");
      await anna.does("PUT", "/home/c", {}, "c");
      assert.match(await anna.props("/home/c", "<D:prop><u:x/></D:prop>"), /404 Not Found/);
    },
  );

  await t.step("an upload above the quota is refused, and the old file stays", async () => {
    assert.equal(await cy.does("PUT", "/home/a", {}, "x".repeat(600)), 201);
    const quota = "<D:prop><D:quota-available-bytes/><D:quota-used-bytes/></D:prop>";
    const numbers = async () => (await cy.props("/home", quota)).match(/\d+(?=<\/D:quota)/g);
    assert.deepEqual(await numbers(), ["400", "600"]);
    assert.equal(await cy.does("COPY", "/home/a", cy.to("/home/b")), 507);
    for (const path of ["/home/d", "/home/e"]) await cy.does("MKCOL", path);
    await cy.does("MOVE", "/home/a", cy.to("/home/d/a"));
    await cy.does("PUT", "/home/e/mine", {}, "mine");
    assert.equal(await cy.does("COPY", "/home/d", cy.to("/home/e")), 507);
    assert.equal((await cy.ask("GET", "/home/e/mine")).text, "mine");
    assert.equal(await cy.does("PROPFIND", "/home/e/a", { depth: "0" }), 404);
    const names = (await cy.props("/home", "<D:propname/>", "1")).match(/<D:href>.*?<\/D:href>/g);
    assert.equal(names!.length, 3);
    assert.deepEqual(await numbers(), ["396", "604"]);
  });

  await t.step("a copy or move replaces a folder completely", async () => {
    for (const path of ["/home/s", "/home/s/t", "/home/r"]) await anna.does("MKCOL", path);
    await anna.does("PUT", "/home/s/t/x", {}, "x");
    await anna.does("PUT", "/home/r/old", {}, "old");
    assert.equal(
      await anna.does("COPY", "/home/s", { ...anna.to("/home/r"), overwrite: "F" }),
      412,
    );
    assert.equal(await anna.does("COPY", "/home/s", anna.to("/home/r")), 204);
    assert.equal((await anna.ask("GET", "/home/r/t/x")).text, "x");
    assert.equal(await anna.does("GET", "/home/r/old"), 404);
    const token = await anna.lock("/home/r");
    assert.equal(await anna.does("MOVE", "/home/s", anna.to("/home/r")), 423);
    const given = { if: `</dav/home/r> (<${token}>)` };
    assert.equal(await anna.does("MOVE", "/home/s", { ...anna.to("/home/r"), ...given }), 204);
    const list = await anna.props("/home", "<D:propname/>", "1");
    assert.doesNotMatch(list, /\.barge-/);
    assert.equal(await anna.does("COPY", "/home/a", anna.to("/home/huge")), 204); // a file over it
    assert.equal((await anna.ask("GET", "/home/huge")).text, "a");
    assert.equal(await anna.does("COPY", "/home/r", { ...anna.to("/home/q"), depth: "0" }), 201);
    assert.equal(await anna.does("GET", "/home/q/t/x"), 404);
    for (const to of ["/home/r", "/home/r/t/y", "/home"]) {
      assert.equal(await anna.does("COPY", "/home/r", anna.to(to)), 403, to);
    }
    const all = async () =>
      await anna.props("/home", "<D:propname/>", "1") +
      await anna.props("/public", "<D:propname/>", "1");
    const before = await all();
    for (const method of ["COPY", "MOVE"]) {
      for (const from of ["/", "/home", "/home/a"]) {
        for (const to of ["/", "/home", "/public", ...from === "/home/a" ? [] : ["/home/x"]]) {
          assert.equal(await anna.does(method, from, anna.to(to)), 403, `${method} ${from} ${to}`);
        }
      }
      assert.equal(await anna.does(method, "/", anna.to("/public/x")), 403);
      assert.equal(await anna.does(method, "/public", anna.to("/public/x")), 403);
    }
    for (const path of ["/", "/home", "/public"]) {
      assert.equal(await anna.does("DELETE", path), 403, path);
    }
    assert.equal(await all(), before);
    // Proxies that add the port to Host, that do not forward Host, and that forward it in
    // X-Forwarded-Host.
    const destination = "https://files.example/dav/home/if-proxied";
    const elsewhere = "https://other.example/dav/home/if-proxied";
    const proxies: Headers[] = [
      { destination, host: "files.example:443" },
      { destination },
      { destination: elsewhere, "x-forwarded-host": "x, other.example" },
    ];
    for (const proxy of proxies) assert.ok(await anna.does("COPY", "/home/a", proxy) < 300);
    assert.equal(await anna.does("COPY", "/home/a", { destination: elsewhere }), 502);
    const other = { destination, host: "files.example:80" };
    assert.equal(await anna.does("COPY", "/home/a", other), 421);
    for (const destination of ["http://elsewhere/dav/home/x", "/api/v1/files/home/x"]) {
      assert.equal(await anna.does("COPY", "/home/r", { destination }), 502);
    }
    assert.equal(await anna.does("COPY", "/home/r", { destination: "/dav/home/%2e%2e/x" }), 400);
    assert.equal(await anna.does("COPY", "/home/r"), 400);
    assert.equal(
      await anna.does("COPY", "/home/r", { ...anna.to("/home/x"), overwrite: "?" }),
      400,
    );
  });

  await t.step("the If header is evaluated, and a malformed one refused", async () => {
    await anna.does("PUT", "/home/if", {}, "1");
    const etag = (await anna.ask("HEAD", "/home/if")).headers.get("etag")!;
    const put = (header: string) => anna.does("PUT", "/home/if", { if: header }, "1");
    const token = await anna.lock("/home/if");
    for (const nonsense of ["", "()", "(x)", "<a:b>", `(<${token}>`, `(<${token}>) <x:y>`]) {
      assert.equal(await put(nonsense), 400, nonsense);
    }
    assert.equal(await put(`(<${token}> [${etag}])`), 204);
    assert.equal(await put(`(<${token}> ["other"])`), 412);
    assert.equal(await put(`(Not <${token}>) (<${token}> [${etag}])`), 204);
    assert.equal(await put(`(Not <DAV:no-lock>)`), 423);
    assert.equal(await put(`<http://elsewhere/x> (<${token}>)`), 412);
    assert.equal(await put(`</dav/home/nothing> (<${token}>) </dav/home/if> (<${token}>)`), 204);
    assert.equal(await anna.does("GET", "/home/if", { if: "(<DAV:no-lock>)" }), 412);
    assert.equal(await anna.does("DELETE", "/home/if", { "if-match": '"x"' }), 412);
    assert.equal(await anna.does("DELETE", "/home/if", { if: `(<${token}>)` }), 204);
  });

  await t.step(
    "a lock applies to other clients of the account, and to other accounts",
    async () => {
      await anna.does("MKCOL", "/public/l");
      await anna.does("PUT", "/public/l/a", {}, "a");
      const token = await anna.lock("/public/l");
      const held = { if: `</dav/public/l> (<${token}>)` };
      for (const who of [anna, bob]) {
        assert.equal(await who.does("PUT", "/public/l/b", {}, "b"), 423);
        assert.equal(await who.does("MKCOL", "/public/l/c"), 423);
        assert.equal(await who.does("PROPPATCH", "/public/l", {}, setting("<u:x/>")), 423);
        assert.equal(await who.does("LOCK", "/public/l/b", {}, lockinfo("shared")), 423);
        assert.equal((await who.ask("GET", "/public/l/a")).text, "a");
      }
      assert.equal(await bob.does("PUT", "/public/l/b", held, "b"), 423); // the token is anna's
      assert.equal(await bob.does("UNLOCK", "/public/l", { "lock-token": `<${token}>` }), 403);
      assert.equal(await anna.does("PUT", "/public/l/b", held, "b"), 201);
      const found = await bob.props("/public/l/b", "<D:prop><D:lockdiscovery/></D:prop>");
      assert.match(found, /<D:owner>me &amp; <x xmlns="y:"\/><\/D:owner>/);
      assert.match(found, /<D:lockroot><D:href>\/dav\/public\/l<\/D:href>/);
      assert.equal(await anna.does("UNLOCK", "/public/l", { "lock-token": "<x:y>" }), 409);
      assert.equal(await anna.does("UNLOCK", "/public/l"), 400);
      assert.equal(await anna.does("UNLOCK", "/public/l/b", { "lock-token": `<${token}>` }), 204);
      assert.equal(await bob.does("MKCOL", "/public/l/c"), 201);
    },
  );

  await t.step("a token with a path sees no token and owner of a lock above the path", async () => {
    for (const path of ["/home/job", "/home/job/d"]) await anna.does("MKCOL", path);
    assert.equal(await anna.does("PUT", "/home/job/d/f", {}, "old"), 201);
    const issued = await fetch(`http://${server.facts.http}/api/v1/tokens`, {
      method: "POST",
      headers: { ...anna.login, "content-type": "application/json" },
      body: JSON.stringify({ label: "job", path: "/home/job/d" }),
    });
    const { token: secret } = await issued.json();
    const job = new Caller(server, "anna", { authorization: `Bearer ${secret}` });
    const above = await anna.lock("/home/job");
    const query = "<D:prop><D:lockdiscovery/></D:prop>";
    for (const [path, depth] of [["/home/job/d", "1"], ["/home/job/d/f", "0"]]) {
      const found = await job.props(path, query, depth);
      assert.match(found, /<D:activelock>.*<D:exclusive\/>.*<D:href>\/dav\/home\/job<\/D:href>/);
      assert.doesNotMatch(found, /locktoken|owner|null/);
      assert((await anna.props(path, query, depth)).includes(above));
    }
    assert.equal(await job.does("PUT", "/home/job/d/f", {}, "new"), 423);
    await anna.does("UNLOCK", "/home/job", { "lock-token": `<${above}>` });
    const own = await job.lock("/home/job/d");
    const found = await job.props("/home/job/d/f", query);
    assert(found.includes(own) && found.includes("<D:owner>"));
  });

  await t.step("of many locks at once, one is granted", async () => {
    await anna.does("PUT", "/home/race", {}, "");
    const asks = Array.from(
      { length: 12 },
      () => anna.does("LOCK", "/home/race", {}, lockinfo("exclusive")),
    );
    const got = await Promise.all(asks);
    assert.deepEqual(got.filter((status) => status !== 423), [200]);
  });

  await t.step("the server limits the timeout of a lock", async () => {
    for (const [asked, got] of [["Second-7", 7], ["Infinite, Second-5", 3600], ["x", 1800]]) {
      await anna.does("PUT", "/home/timed", {}, "");
      const timeout = { timeout: String(asked) };
      const { text } = await anna.ask("LOCK", "/home/timed", timeout, lockinfo("shared"));
      assert.ok(text.includes(`<D:timeout>Second-${got}</D:timeout>`), text);
    }
    assert.equal(await anna.does("LOCK", "/home/timed"), 412); // a refresh of nothing
  });

  await t.step("only OPTIONS is answered without a login", async () => {
    using client = await Client.open(server.facts.http!);
    assert.equal((await client.ask("OPTIONS", "/dav/home/x")).headers.get("dav"), "1, 2");
    for (const method of ["GET", "PROPFIND", "LOCK", "DELETE", "MKCOL"]) {
      const { status, headers } = await client.ask(method, "/dav/home/");
      assert.equal(status, 401);
      assert.match(headers.get("www-authenticate")!, /^Basic realm="barge"/);
    }
    assert.equal((await client.ask("POST", "/dav/home/")).status, 405);
  });

  await t.step("the log has no errors of the server", () => {
    assert.doesNotMatch(server.stderr(), /"level":"(ERROR|FATAL)"/);
  });
});
