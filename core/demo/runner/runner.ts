/**
 * Where a lesson plays: acts under the director (director.ts), whose threads are real and whose
 * order is the seed's, and acts in real time, whose events are shown in one fixed order.
 *
 * A lesson's first lane is `main`, the code that starts the threads, as in the course that these
 * lessons follow. It is always an async task, so that the program's own isolate never blocks.
 */
import { Agent } from "./lesson_thread.ts";
import { Director } from "./scheduler.ts";
import type { Audience, Clock, DemoEvent, Drawing } from "../trace.ts";
import { drawGraph, type Wait } from "./wait_graph.ts";
import type { AgentKind, Errand, Lesson, Role } from "../lesson.ts";
import { type Isolate, most, type Pool } from "./worker_pool.ts";
import { pack, type Primitive, type Prop, prop, type Props } from "./primitives.ts";
import { Random } from "./random.ts";
import { taskLine } from "./task_link.ts";
import { bilingual, listed, type Name, type Text } from "../text.ts";

export interface StageOptions {
  /** The lesson's name in the table. */
  readonly name: string;
  readonly lesson: Lesson;
  readonly pool: Pool;
  readonly audience: Audience;
  readonly seed: number;
  readonly kind: AgentKind;
  readonly signal: AbortSignal;
}

/** How an act is played. */
export interface ActOptions {
  /** How many threads it will start, if they could be more than {@link most}. */
  readonly crew?: number;
  /** How long a step takes, in seconds on the act's clock. */
  readonly tick?: number;
  /** The kind of this act's threads, which overrides the kind that was asked for. */
  readonly kind?: AgentKind;
}

/** A thread that was started. */
export interface Thread {
  readonly id: number;
  readonly name: Name;
}

export class Stage {
  readonly signal: AbortSignal;
  /** For what a lesson draws by lot. */
  readonly random: Random;
  readonly #options: StageOptions;
  #acts = 0;
  #errands = 0;

  constructor(options: StageOptions) {
    this.#options = options;
    this.signal = options.signal;
    this.random = new Random(options.seed);
  }

  /**
   * Plays an act under the director.
   *
   * @param script what `main` does
   * @returns what it returned, once all but daemons have ended
   * @throws what a thread threw; {Stuck} where all wait and `main` has joined nobody
   */
  async act<T>(
    title: Text,
    script: (main: Main) => Promise<T>,
    { crew = 0, tick, kind = this.#options.kind }: ActOptions = {},
  ): Promise<T> {
    const { pool, audience, signal } = this.#options;
    const act = await this.#begins(title, false, "lesson");
    const director = new Director({
      ...{ random: this.random, signal, tick },
      happens: (event) => audience.happens({ act, ...event }),
    });
    if (kind === "worker") pool.prepare(Math.min(crew, most));
    const cast = new Cast(this.#options, director, pool, kind, crew > most);
    const { id, reports } = director.cast("main");
    const { line, reins } = taskLine(reports);
    director.rein(id, reins);
    const main = new Main(line, director, cast, (lines) => audience.draws(act, lines));
    // The director receives the failure of the script, and throws it.
    const result = outcome(main, () => script(main));
    try {
      await director.play();
      const { thrown, returned } = await result;
      if (thrown !== undefined) throw thrown;
      return returned as T;
    } catch (error) {
      const ended = await Promise.race([result, undefined]);
      throw ended?.thrown ?? error;
    } finally {
      director.cutAll();
      cast.dismiss();
    }
  }

  /**
   * Plays an act in real time.
   *
   * @param clock the meaning of the times of its events
   */
  async live<T>(
    title: Text,
    script: (scene: Scene) => Promise<T>,
    clock: Clock = "staged",
  ): Promise<T> {
    const { audience } = this.#options;
    const act = await this.#begins(title, true, clock);
    let shown: Promise<void> = Promise.resolve();
    const then = (show: () => Promise<void> | void) => {
      shown = shown.then(show);
      shown.catch(() => {}); // it is awaited below
    };
    const scene: Scene = {
      event: (event) => then(() => audience.happens({ act, ...event })),
      draws: (drawing) => then(() => audience.draws(act, drawing)),
    };
    try {
      const result = await script(scene);
      await shown;
      this.signal.throwIfAborted();
      return result;
    } catch (error) {
      // What fails since it was interrupted fails for that reason.
      this.signal.throwIfAborted();
      throw error;
    }
  }

  /**
   * Runs an errand of the lesson in a worker of its own, in real time.
   *
   * @param news gets its messages
   * @throws Error with what it threw; the signal's reason
   */
  async errand<A, R>(
    errand: Errand<A, R>,
    args: A,
    news: (news: unknown) => void = () => {},
  ): Promise<R> {
    const { pool, name, lesson, signal } = this.#options;
    signal.throwIfAborted();
    const id = ++this.#errands;
    const isolate = pool.take();
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    const stop = () => (isolate.end(), reject(signal.reason));
    signal.addEventListener("abort", stop);
    isolate.hear(id, (message) => {
      if (message.type === "news") return news(message.news);
      if (message.type !== "done") return;
      if (message.error === undefined) resolve(message.result as R);
      else reject(new Error(message.error));
    }, (why) => reject(new Error(`a worker died: ${why}`)));
    isolate.send({ type: "errand", id, lesson: name, errand: keyOf(lesson.errands, errand), args });
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", stop);
      pool.giveBack(isolate);
    }
  }

  async #begins(title: Text, live: boolean, clock: Clock): Promise<number> {
    this.signal.throwIfAborted();
    const act = ++this.#acts;
    await this.#options.audience.begins({ act, title, live, clock });
    return act;
  }
}

/** Shows the events of an act in real time, with times in seconds of the act's clock. */
export interface Scene {
  event(event: Omit<DemoEvent, "act">): void;
  /** Draws something below the act's picture. */
  draws(drawing: Drawing): void;
}

/** The first lane: starts threads, and waits for them. */
export class Main extends Agent {
  readonly #director: Director;
  readonly #cast: Cast;
  readonly #draws: (drawing: Drawing) => Promise<void> | void;

  constructor(
    line: ConstructorParameters<typeof Agent>[1],
    director: Director,
    cast: Cast,
    draws: (drawing: Drawing) => Promise<void> | void,
  ) {
    super("main", line, false);
    this.#director = director;
    this.#cast = cast;
    this.#draws = draws;
  }

  /** A primitive with a name, for threads of this act to wait at. */
  prop<P extends Primitive>(label: string, it: P): Prop<P> {
    const named = prop(label, it);
    this.#director.watch(named);
    return named;
  }

  /** Starts a thread. @param role one of the lesson's roles */
  async start<P extends Props, A>(
    name: Name,
    role: Role<P, A>,
    props: P,
    args: A,
    { daemon = false } = {},
  ): Promise<Thread> {
    return await this.does(bilingual`${{ en: "starts", zh: "启动" }} ${name}`, () => ({
      ...{ name, id: this.#cast.start(name, role as Role<Props, unknown>, props, args, daemon) },
    }));
  }

  /** Waits until threads have ended. @returns false when they never will, or the time is over */
  async join(threads: readonly Thread[], { timeout }: { timeout?: number } = {}): Promise<boolean> {
    await this.turn();
    const names = named(threads);
    const of = { en: `the end of ${names.en}`, zh: `${names.zh} 结束` };
    this.did({ what: "waits", of, joins: true });
    await this.joins(threads.map(({ id }) => id), timeout);
    const ended = threads.every(({ id }) => !this.#director.isAlive(id));
    const not = { en: `${names.en} did not end`, zh: `${names.zh} 没有结束` };
    this.did({ what: "runs", text: ended ? undefined : not });
    return ended;
  }

  isAlive({ id }: Thread): boolean {
    return this.#director.isAlive(id);
  }

  /** Returns the names of all threads that are alive now, this one first. */
  enumerate(): Name[] {
    return this.#director.enumerate();
  }

  /** What a thread that has ended returned. */
  result(thread: Thread): unknown {
    return this.#director.result(thread.id);
  }

  /** Who waits for what now. */
  waits(): readonly Wait[] {
    return this.#director.waits();
  }

  /** Draws the wait-for graph. */
  async draws(): Promise<void> {
    await this.#draws(drawGraph(this.waits()));
  }

  /** Ends threads, whatever they do; those that waited leave their primitives useless. */
  async cut(threads: readonly Thread[]): Promise<void> {
    const names = named(threads);
    await this.does({ en: `ends ${names.en}`, zh: `强行结束 ${names.zh}` }, () => {
      this.#director.cut(threads.map(({ id }) => id));
    });
  }
}

/** Starts an act's threads, as workers or as tasks. */
class Cast {
  readonly #isolates: { readonly isolate: Isolate; cut: boolean }[] = [];
  #next = 0;

  constructor(
    readonly options: StageOptions,
    readonly director: Director,
    readonly pool: Pool,
    readonly kind: AgentKind,
    readonly shared: boolean,
  ) {}

  start(
    name: Name,
    role: Role<Props, unknown>,
    props: Props,
    args: unknown,
    daemon: boolean,
  ): number {
    const { id, reports } = this.director.cast(name, daemon);
    if (this.kind === "task") {
      const { line, reins } = taskLine(reports);
      this.director.rein(id, reins);
      const agent = new Agent(name, line, false);
      void outcome(agent, () => role(agent, props, args));
      return id;
    }
    const member = this.#isolate();
    this.director.rein(id, {
      go: () => member.isolate.send({ type: "go", id }),
      timeUp: () => member.isolate.send({ type: "timeUp", id }),
      cut: () => {
        member.cut = true;
        member.isolate.end();
      },
    });
    member.isolate.hear(id, (message) => {
      if (message.type === "reports") reports(message.report);
    }, (error) => reports({ deeds: [], state: { is: "over", error } }));
    const { name: lesson, lesson: { roles } } = this.options;
    const blocking = !this.shared;
    const about = { lesson, role: keyOf(roles, role), name, blocking };
    member.isolate.send({ type: "run", id, ...about, props: pack(props), args });
    return id;
  }

  /** Gives the isolates back that can be used again. */
  dismiss(): void {
    for (const { isolate, cut } of this.#isolates) if (!cut) this.pool.giveBack(isolate);
  }

  #isolate() {
    const index = this.#next++;
    if (this.shared && index >= most) return this.#isolates[index % most]!;
    const member = { isolate: this.pool.take(), cut: false };
    this.#isolates.push(member);
    return member;
  }
}

/** Returns the names of threads; of many, the first and the last. */
function named(threads: readonly Thread[]): Text {
  if (threads.length <= 3) return listed(threads.map(({ name }) => name));
  return bilingual`${threads[0]!.name} ${{ en: "to", zh: "至" }} ${threads.at(-1)!.name}`;
}

interface Outcome {
  readonly returned?: unknown;
  readonly thrown?: unknown;
}

/** Runs a task's code to its end, and reports the result to the director. */
async function outcome(agent: Agent, run: () => Promise<unknown>): Promise<Outcome> {
  try {
    const returned = await run();
    agent.ends({ result: returned });
    return { returned };
  } catch (thrown) {
    agent.ends({ error: thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : "failed" });
    return { thrown };
  }
}

function keyOf(table: Readonly<Record<string, unknown>> | undefined, value: unknown): string {
  const found = Object.entries(table ?? {}).find(([, each]) => each === value);
  if (found === undefined) throw new TypeError("a role that is not in the lesson's table");
  return found[0];
}
