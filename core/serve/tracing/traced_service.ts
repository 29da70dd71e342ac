/** Traces the calls from doors and verbs to logins and storage, as children of the request's span. */
import type { Service } from "../../login/service.ts";
import type { OpenUpload } from "../../storage/uploads.ts";
import type { Layer } from "./span.ts";
import type { Tracer } from "./tracer.ts";

/** The calls of an open upload that have a span; the others are made with every piece. */
const uploadCalls = new Set(["commit", "detach", "drop", "recordWhole"]);

/**
 * Replaces the parts of a service by traced ones: logins, which check that a session still holds, and second
 * factors are the layer `session`; the others are `storage`.
 */
export function traceService(service: Service, tracer: Tracer): void {
  const traced = <T extends object>(layer: Layer, name: string, part: T) =>
    tracedPart(part, { tracer, layer, name });
  const { people, attached, tree, uploads } = service;
  const replaced: Pick<Service, "people" | "attached" | "tree" | "uploads"> = {
    people: {
      logins: traced("session", "logins", people.logins),
      accounts: traced("storage", "accounts", people.accounts),
      factors: traced("session", "factors", people.factors),
      audit: traced("storage", "audit", people.audit),
      shares: traced("storage", "shares", people.shares),
    },
    attached: {
      locks: traced("storage", "locks", attached.locks),
      properties: traced("storage", "properties", attached.properties),
    },
    tree: traced("storage", "tree", tree),
    uploads: tracedUploads(traced("storage", "uploads", uploads), tracer),
  };
  for (const [name, value] of Object.entries(replaced)) {
    Object.defineProperty(service, name, { value });
  }
}

/** Traces the commit of each upload that is begun. */
function tracedUploads(uploads: Service["uploads"], tracer: Tracer): Service["uploads"] {
  const facts = { tracer, layer: "storage", name: "upload", calls: uploadCalls } as const;
  return new Proxy(uploads, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (key !== "begin") return value;
      const begin: Service["uploads"]["begin"] = async (...args): Promise<OpenUpload> =>
        tracedPart(await target.begin(...args), facts);
      return begin;
    },
  });
}

interface Traced {
  readonly tracer: Tracer;
  readonly layer: Layer;
  /** The name of the part: spans are NAME.METHOD. */
  readonly name: string;
  /** The methods that have a span. Default: all. */
  readonly calls?: ReadonlySet<string>;
}

function tracedPart<T extends object>(part: T, { tracer, layer, name, calls }: Traced): T {
  return new Proxy(part, {
    // Methods and accessors get the part itself, since a proxy has no private fields.
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== "function" || typeof key === "symbol") return value;
      if (calls && !calls.has(key)) return value.bind(target);
      return (...args: unknown[]) => {
        const end = tracer.beginChild(layer, `${name}.${key}`);
        const call = () => value.apply(target, args);
        return end ? ended(call, end) : call();
      };
    },
    set: (target, key, value) => Reflect.set(target, key, value),
  });
}

/** Calls a function, and ends its span with the returned value, promise or iteration. */
function ended(call: () => unknown, end: (error?: unknown) => void): unknown {
  try {
    const result = call();
    if (result instanceof Promise) {
      return result.then((value) => {
        end();
        return value;
      }, (error) => {
        end(error);
        throw error;
      });
    }
    if (isAsyncIterable(result)) return iterated(result, end);
    end();
    return result;
  } catch (error) {
    end(error);
    throw error;
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

async function* iterated(
  items: AsyncIterable<unknown>,
  end: (error?: unknown) => void,
): AsyncGenerator<unknown, void, void> {
  let failure: unknown;
  try {
    yield* items;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    end(failure);
  }
}
