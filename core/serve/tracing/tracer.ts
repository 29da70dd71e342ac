/**
 * A worker's tracer. It collects the spans that end, and passes them to the supervisor in batches, one batch
 * at a time. When `maxCollected` spans wait, it drops later ones and counts them: a request never waits for
 * its trace.
 *
 *   begun -> (child begun -> child ended)* -> ended -> collected -> passed on
 *                                                  \-> dropped
 *
 * The current span follows the asynchronous calls of a request. A call that outlives its request has no span.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { BargeError } from "../../error.ts";
import { startInterval } from "../../net/interval.ts";
import type { RequestFacts, RequestTracer, TracedRequest } from "../../watch/tracing.ts";
import { type Batch, maxBatchSpans } from "./batch.ts";
import {
  type Layer,
  newSpanId,
  newTraceId,
  parseTraceparent,
  type Sampling,
  type Span,
} from "./span.ts";

const maxCollected = 4096;
const passIntervalMs = 200;
/** The most characters of a path or name in an attribute. */
const maxAttributeLength = 300;
/** The failures of the server itself. */
const failures = new Set(["io", "fatal", "no-space"]);

/** The span of a request under way. */
interface OpenRequest {
  readonly trace: string;
  readonly id: string;
  readonly request: TracedRequest;
  isOpen: boolean;
}

export class Tracer implements RequestTracer {
  readonly #current = new AsyncLocalStorage<OpenRequest | undefined>();
  readonly #sampling: Sampling;
  readonly #pass: (batch: Batch) => void;
  #collected: Span[] = [];
  #dropped = 0;
  /** True until the supervisor has taken the last batch. */
  #passing = false;
  readonly #timer: Disposable;

  /** @param pass sends a batch; {@link taken} follows when the supervisor has it */
  constructor(sampling: Sampling, pass: (batch: Batch) => void) {
    this.#sampling = sampling;
    this.#pass = pass;
    this.#timer = startInterval(() => this.#passOn(), passIntervalMs);
  }

  begin(
    request: TracedRequest,
    traceparent?: string,
  ): ((facts: RequestFacts) => void) | undefined {
    const around = this.#current.getStore();
    const whole = around?.isOpen && around.request.split ? around : undefined;
    const remote = whole ? undefined : parseTraceparent(traceparent);
    const parent = whole ?? remote;
    const { parentBased, ratio } = this.#sampling;
    const sampled = whole !== undefined ||
      (remote && parentBased ? remote.sampled : ratio >= 1 || Math.random() < ratio);
    if (!sampled) {
      this.#current.enterWith(undefined);
      return undefined;
    }
    const start = now();
    const open: OpenRequest = {
      trace: parent?.trace ?? newTraceId(),
      id: newSpanId(),
      request,
      isOpen: true,
    };
    this.#current.enterWith(open);
    return ({ door, verb, path, account, address, bytes, outcome }) => {
      open.isOpen = false;
      this.#collect({
        trace: open.trace,
        id: open.id,
        parent: parent?.id ?? null,
        layer: "door",
        name: `${door} ${verb ?? "malformed"}`.slice(0, maxAttributeLength),
        start,
        end: now(),
        failed: failures.has(outcome),
        attributes: {
          "barge.door": door,
          "barge.outcome": outcome,
          "barge.bytes": bytes,
          "client.address": address,
          ...verb !== null && { "barge.verb": verb.slice(0, maxAttributeLength) },
          ...path !== null && { "barge.path": path.slice(0, maxAttributeLength) },
          ...account !== null && { "barge.account": account.slice(0, maxAttributeLength) },
        },
      });
    };
  }

  /**
   * Begins a child of the current request's span.
   *
   * @returns ends it, with the error of a failed call; undefined without a request under way
   */
  beginChild(layer: Layer, name: string): ((error?: unknown) => void) | undefined {
    const request = this.#current.getStore();
    if (!request?.isOpen) return undefined;
    const [id, start] = [newSpanId(), now()];
    return (error) => {
      const outcome = error === undefined ? "ok" : error instanceof BargeError ? error.kind : "io";
      this.#collect({
        ...{ trace: request.trace, id, parent: request.id, layer, name, start, end: now() },
        failed: failures.has(outcome),
        attributes: outcome === "ok" ? {} : { "barge.outcome": outcome },
      });
    };
  }

  /** The supervisor has taken the last batch. */
  taken(): void {
    this.#passing = false;
    if (this.#collected.length >= maxBatchSpans) this.#passOn();
  }

  /** Passes on all that is left; later spans are lost. */
  stop(): void {
    this.#timer[Symbol.dispose]();
    do {
      this.#passing = false;
      this.#passOn();
    } while (this.#collected.length > 0);
  }

  #collect(span: Span): void {
    if (this.#collected.length < maxCollected) this.#collected.push(span);
    else this.#dropped++;
  }

  #passOn(): void {
    if (this.#passing || this.#collected.length === 0 && this.#dropped === 0) return;
    const spans = this.#collected.splice(0, maxBatchSpans);
    const batch = { spans, dropped: this.#dropped };
    this.#dropped = 0;
    this.#passing = true;
    this.#pass(batch);
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
