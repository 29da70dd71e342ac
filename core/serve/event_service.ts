/**
 * Delivers events to the operator's program and webhooks, in the supervisor: workers may start no programs, and
 * reach no other server. Each target has a dispatcher of its own, so that none waits for another one.
 */
import { randomUUID } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { Dispatcher } from "../events/dispatcher.ts";
import type { EventLimits } from "../events/limits.ts";
import { webhook } from "../events/webhook.ts";
import { OutboundConnections } from "../outbound/request.ts";
import type { EventTarget } from "../storage/events.ts";
import { attempt } from "./attempt.ts";
import { commitProgram } from "./hooks/commit_program.ts";
import type { Ground } from "./ground.ts";
import { type ProgramLimits, resolveProgram } from "./hooks/hook_programs.ts";

const log = getLogger(["barge", "events"]);
/** The most deliveries to one webhook at once. */
const maxRequests = 8;
/**
 * The time between two removals of old events, in ms. Only events of former targets are so much older than allowed:
 * dispatchers drop, log and count those of their own.
 */
const cleanUpMs = 3_600_000;

export interface Webhook {
  readonly target: EventTarget;
  readonly url: string;
}

export interface EventOptions extends ProgramLimits, EventLimits {
  /** The program to run after each upload, with its arguments. */
  readonly onCommit?: readonly string[];
  readonly webhooks: readonly Webhook[];
  /** The secrets that sign requests: see `signedHeaders`. */
  readonly secrets: readonly Uint8Array[];
  /** Authorities of the URLs beside the system's, each in PEM. */
  readonly trust?: readonly string[];
}

/** The target of {@link EventOptions.onCommit}. */
const programTarget: EventTarget = { name: "on-commit", commitsOnly: true };

/** Returns the targets of the options. */
export function eventTargets({ onCommit, webhooks }: EventOptions): readonly EventTarget[] {
  return [...onCommit ? [programTarget] : [], ...webhooks.map(({ target }) => target)];
}

/**
 * Finds the program.
 *
 * @throws {BargeError} `usage` when it does not exist, or is not executable
 */
export function resolveEvents(options: EventOptions): EventOptions {
  const { onCommit } = options;
  return { ...options, onCommit: onCommit && resolveProgram(onCommit, "--on-commit") };
}

export class EventService {
  readonly #ground: Ground;
  readonly #dispatchers: readonly Dispatcher[];
  readonly #connections: OutboundConnections;
  readonly #cleaning: ReturnType<typeof setInterval>;

  private constructor(ground: Ground, options: EventOptions) {
    this.#ground = ground;
    const { onCommit, webhooks, secrets, trust, jobs } = options;
    const { version = "" } = ground.settings;
    const connections = new OutboundConnections({ trust, maxIdle: maxRequests });
    this.#connections = connections;
    const common = {
      store: ground.events,
      server: randomUUID(),
      limits: options,
      onChange: () => this.#show(),
    };
    const program = onCommit && new Dispatcher({
      ...common,
      target: programTarget.name,
      deliver: commitProgram(onCommit, options, ground),
      jobs,
    });
    this.#dispatchers = [
      ...program ? [program] : [],
      ...webhooks.map(({ target, url }) =>
        new Dispatcher({
          ...common,
          target: target.name,
          deliver: webhook(url, { secrets, connections, version }),
          jobs: maxRequests,
        })
      ),
    ];
    this.#cleaning = setInterval(() => void this.#cleanUp(options), cleanUpMs);
  }

  /** Begins to deliver. */
  static start(ground: Ground, options: EventOptions): EventService {
    const service = new EventService(ground, options);
    for (const dispatcher of service.#dispatchers) dispatcher.start();
    return service;
  }

  /** Notes that workers have written events. */
  wake(): void {
    for (const dispatcher of this.#dispatchers) dispatcher.wake();
  }

  /** Delivers the events that are due, for at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    clearInterval(this.#cleaning);
    await Promise.all(this.#dispatchers.map((dispatcher) => dispatcher.stop(graceMs)));
    this.#connections[Symbol.dispose]();
  }

  /** Removes old events of former targets. */
  #cleanUp({ maxAgeMs }: EventLimits): Promise<void> {
    return attempt("can't remove old events", async () => {
      const count = await this.#ground.events.removeOlder(maxAgeMs + cleanUpMs);
      if (count > 0) log.warn("removed {count} old events for former targets", { count });
    });
  }

  /** Sets the metrics. */
  #show(): void {
    const { metrics } = this.#ground;
    const states = this.#dispatchers.map(({ state }) => state);
    const leading = states.filter(({ leads }) => leads);
    const sum = (
      count: "waiting" | "failing" | "delivered" | "failures" | "dropped",
      of = states,
    ) => of.reduce((total, state) => total + state[count], 0);
    const oldest = leading.flatMap(({ oldest }) => oldest ?? []);
    const isLeading = leading.length > 0;
    metrics.setGauge("eventsWaiting", isLeading ? sum("waiting", leading) : undefined);
    metrics.setGauge("eventsFailing", isLeading ? sum("failing", leading) : undefined);
    metrics.setGauge("eventsOldest", oldest.length > 0 ? Math.min(...oldest) : undefined);
    metrics.setGauge("eventsDelivered", sum("delivered"));
    metrics.setGauge("eventFailures", sum("failures"));
    metrics.setGauge("eventsDropped", sum("dropped"));
  }
}
