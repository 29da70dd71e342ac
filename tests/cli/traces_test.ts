/** Traces: the supervisor sends the spans of requests to a collector (OTLP over HTTP). */
import assert from "node:assert/strict";
import { until } from "../_observe.ts";
import { Peer } from "../core/door/_peer.ts";
import { Home } from "./_barge.ts";
import { barge, startServer } from "../_server.ts";

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    key: string;
    value: { stringValue?: string; intValue?: string };
  }[];
  readonly scope: string;
}

/** A collector that answers each request as the test wants. */
class Collector implements AsyncDisposable {
  readonly spans: OtlpSpan[] = [];
  requests = 0;
  headers = new Headers();
  resource: Record<string, string> = {};
  /** The answers to the next requests; afterwards each is taken. */
  readonly answers: (Response | "hang")[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #stopped = Promise.withResolvers<Response>();
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    return this.#take(request);
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async #take(request: Request): Promise<Response> {
    assert.equal(new URL(request.url).pathname, "/v1/traces");
    assert.equal(request.headers.get("content-type"), "application/json");
    const { resourceSpans } = await request.json();
    this.requests++;
    const answer = this.answers.shift();
    if (answer === "hang") return await this.#stopped.promise;
    if (answer && !answer.ok) return answer;
    this.headers = request.headers;
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const { key, value } of resource.attributes) this.resource[key] = value.stringValue;
      for (const { scope, spans } of scopeSpans) {
        this.spans.push(...spans.map((span: OtlpSpan) => ({ ...span, scope: scope.name })));
      }
    }
    for (const look of this.#waiting) look();
    return answer ?? Response.json({});
  }

  /** Waits for a span. */
  async span(isWanted: (span: OtlpSpan) => boolean): Promise<OtlpSpan> {
    const { promise, resolve } = Promise.withResolvers<OtlpSpan>();
    const look = () => {
      const found = this.spans.find(isWanted);
      if (found) resolve(found);
    };
    this.#waiting.add(look);
    look();
    return await promise.finally(() => this.#waiting.delete(look));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.resolve(new Response());
    await this.#server.shutdown();
  }
}

const attribute = ({ attributes }: OtlpSpan, name: string) => {
  const value = attributes.find(({ key }) => key === name)?.value;
  return value?.stringValue ?? value?.intValue;
};

Deno.test("a request has spans of door, session and storage, which continue the client's trace", async () => {
  await using collector = new Collector();
  collector.answers.push(new Response(null, { status: 503, headers: { "retry-after": "1" } }));
  await using server = await startServer({
    args: ["--http", "127.0.0.1:0", "--workers", "2"],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=blue%20team",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    },
  });
  await server.addUser("anna");
  const authorization = `Bearer ${await server.issueToken("anna")}`;
  const [trace, parent] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];
  const response = await fetch(`http://${server.facts.http}/api/v1/files/home/a.txt`, {
    method: "PUT",
    headers: { authorization, traceparent: `00-${trace}-${parent}-01` },
    body: "hello",
  });
  assert.equal(response.status, 201, await response.text());
  const door = await collector.span(({ name }) => name === "http put" || name === "http PUT");
  assert.deepEqual([door.traceId, door.parentSpanId, door.kind], [trace, parent, 2]);
  assert.equal(door.scope, "barge.door");
  assert.equal(attribute(door, "barge.account"), "anna");
  assert.equal(attribute(door, "barge.path"), "/home/a.txt");
  assert.equal(attribute(door, "barge.outcome"), "ok");
  assert.equal(attribute(door, "barge.bytes"), "5");
  const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === door.spanId);
  for (const child of children) {
    assert.equal(child.traceId, trace);
    assert.ok(BigInt(child.startTimeUnixNano) >= BigInt(door.startTimeUnixNano), child.name);
    assert.ok(BigInt(child.endTimeUnixNano) <= BigInt(door.endTimeUnixNano), child.name);
  }
  const named = children.map(({ scope, name }) => `${scope} ${name}`);
  assert.ok(named.some((name) => name.startsWith("barge.session logins.")), named.join());
  assert.ok(named.includes("barge.storage uploads.store"), named.join());
  assert.ok(collector.requests >= 2); // the first was refused, and sent again
  assert.equal(collector.headers.get("x-tenant"), "blue team");
  assert.equal(collector.resource["service.name"], "barge");
  assert.equal(collector.resource["deployment.environment.name"], "test");

  // The client does not trace this one; the next request begins a trace of its own.
  const ask = (path: string, headers = {}) =>
    fetch(`http://${server.facts.http}${path}`, { headers: { authorization, ...headers } })
      .then((response) => response.arrayBuffer());
  await ask("/api/v1/files/home/a.txt?untraced", {
    traceparent: `00-${"1".repeat(32)}-${parent}-00`,
  });
  await ask("/api/v1/files/home", { traceparent: "malformed" });
  const list = await collector.span((span) => attribute(span, "barge.path") === "/home");
  assert.equal(list.parentSpanId, undefined);
  assert.ok(!collector.spans.some(({ traceId }) => traceId === "1".repeat(32)));
});

Deno.test("the native door is traced, each file of a batch on its own", async () => {
  await using collector = new Collector();
  await using server = await startServer({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  await server.addUser("anna");
  await using home = new Home();
  for (const name of ["a", "b", "c"]) await Deno.writeTextFile(`${home.path}/${name}`, name);
  const env = {
    BARGE_SERVER: `anna@${server.address}`,
    BARGE_PASSWORD: await server.issueToken("anna"),
  };
  const { code, stderr } = await home.barge(["put", "a", "b", "c", "/home/"], { env });
  assert.equal(code, 0, stderr);
  for (const name of ["a", "b", "c"]) {
    const span = await collector.span((span) => attribute(span, "barge.path") === `/home/${name}`);
    assert.equal(span.name, "native put");
  }
  assert.equal(await server.kill("SIGTERM"), 0); // sends what is left
  assert.ok(collector.spans.some(({ name }) => name === "native proof"));
});

Deno.test("a collector that fails or hangs slows no request, and its spans are counted", async () => {
  await using collector = new Collector();
  const secretUrl = collector.url.replace("//", "//user:collector-password@");
  await using server = await startServer({
    args: ["--metrics", "127.0.0.1:0"],
    env: {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${secretUrl}/v1/traces?key=collector-key`,
      OTEL_EXPORTER_OTLP_TIMEOUT: "60000",
    },
  });
  const count = async (name: string) => {
    const text = await (await fetch(`http://${server.facts.metrics}/metrics`)).text();
    return Number(new RegExp(`^barge_trace_spans_${name}_total (\\d+)$`, "m").exec(text)![1]);
  };
  collector.answers.push(new Response(null, { status: 400 }), "hang");
  assert.deepEqual([await count("exported"), await count("dropped")], [0, 0]);
  await server.addUser("anna");
  using peer = await Peer.open(server.address, await server.issueToken("anna"));
  const ask = async (count: number) => {
    await peer.send(...Array.from({ length: count }, () => ({ verb: "stat", path: "/home" })));
    for (let i = 0; i < count; i++) assert.ok((await peer.answer()).ok);
  };
  await ask(1);
  await until(async () => await count("dropped") > 0); // the collector has refused the first batch
  // More than the queues of the worker and the supervisor hold, while the collector hangs.
  const before = await count("dropped");
  while (await count("dropped") === before) await ask(500);
  assert.match(server.stderr(), /the collector of traces does not take them: it answered 400/);
  assert.doesNotMatch(server.stderr(), /collector-(key|password)/);
});

Deno.test("without a collector there are no metrics of traces, and a wrong setting is refused", async () => {
  await using server = await startServer({ args: ["--metrics", "127.0.0.1:0"] });
  const text = await (await fetch(`http://${server.facts.metrics}/metrics`)).text();
  assert.doesNotMatch(text, /trace_spans/);
  const data = await Deno.makeTempDir({ prefix: "barge-test-" });
  try {
    const { code, stderr } = await barge(["serve", "--data", data, "--native", "127.0.0.1:0"], {
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
        OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      },
    });
    assert.equal(code, 2);
    assert.match(stderr, /OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not http\/json/);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
