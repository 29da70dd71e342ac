/** Reads the settings of traces from OpenTelemetry's variables (OpenTelemetry specification 1.40, "Environment"). */
import { BargeError } from "../../error.ts";
import type { Sampling } from "./span.ts";

const defaultTimeoutMs = 10_000;

/** Where spans are sent, and which requests have some. */
export interface TraceOptions {
  /** The collector's URL for traces. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The attributes of this server. */
  readonly resource: Readonly<Record<string, string>>;
  /** The most milliseconds of a request to the collector. */
  readonly timeoutMs: number;
  readonly sampling: Sampling;
}

/**
 * Returns the settings of traces.
 *
 * @param variable returns an environment variable
 * @param resource attributes that the variables may replace or add to
 * @returns undefined where no collector is named
 * @throws {BargeError} `usage` for a value that is not valid
 *
 * @example
 * ```ts
 * import { traceOptions } from "./settings.ts";
 * const variables: Record<string, string> = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };
 * const options = traceOptions((name) => variables[name], {});
 * if (options?.url !== "http://127.0.0.1:4318/v1/traces") throw new Error();
 * if (traceOptions(() => undefined, {}) !== undefined) throw new Error();
 * ```
 */
export function traceOptions(
  variable: (name: string) => string | undefined,
  resource: Readonly<Record<string, string>>,
): TraceOptions | undefined {
  const own = (name: string) =>
    variable(`OTEL_EXPORTER_OTLP_TRACES_${name}`) || variable(`OTEL_EXPORTER_OTLP_${name}`);
  const whole = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
  const isOff = variable("OTEL_SDK_DISABLED")?.toLowerCase() === "true" ||
    variable("OTEL_TRACES_EXPORTER") === "none";
  if (!whole && !base || isOff) return undefined;
  const url = whole || `${base!.replace(/\/+$/, "")}/v1/traces`;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    const why = "OTEL_EXPORTER_OTLP_ENDPOINT: it is not a URL like http://127.0.0.1:4318";
    throw new BargeError("usage", why); // without the value, which may hold a password
  }
  const protocol = own("PROTOCOL") ?? "http/json";
  if (protocol !== "http/json") {
    throw refusal("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "http/json, which collectors take, too");
  }
  const timeout = own("TIMEOUT");
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : Number(timeout);
  if (!(timeoutMs > 0)) throw refusal("OTEL_EXPORTER_OTLP_TIMEOUT", timeout!, "milliseconds");
  const named = pairs("OTEL_RESOURCE_ATTRIBUTES", variable("OTEL_RESOURCE_ATTRIBUTES"));
  const service = variable("OTEL_SERVICE_NAME");
  return {
    url,
    headers: pairs("OTEL_EXPORTER_OTLP_HEADERS", own("HEADERS")),
    resource: { ...resource, ...named, ...service && { "service.name": service } },
    timeoutMs,
    sampling: samplingOf(variable("OTEL_TRACES_SAMPLER"), variable("OTEL_TRACES_SAMPLER_ARG")),
  };
}

/** @throws {BargeError} `usage` */
function samplingOf(sampler = "parentbased_always_on", argument = "1"): Sampling {
  const [, based, kind] = /^(parentbased_)?(always_on|always_off|traceidratio)$/.exec(sampler) ??
    [];
  if (kind === undefined) {
    throw refusal("OTEL_TRACES_SAMPLER", sampler, "parentbased_traceidratio, for instance");
  }
  const ratio = kind === "always_on" ? 1 : kind === "always_off" ? 0 : Number(argument);
  if (!(ratio >= 0 && ratio <= 1)) {
    throw refusal("OTEL_TRACES_SAMPLER_ARG", argument, "a number from 0 to 1");
  }
  return { parentBased: based !== undefined, ratio };
}

/** Parses `key=value,key=value`, with percent-encoded values. @throws {BargeError} `usage` */
function pairs(name: string, text = ""): Record<string, string> {
  const items = text.split(",").map((item) => item.trim()).filter(Boolean);
  return Object.fromEntries(items.map((item) => {
    const [, key, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(item) ?? [];
    try {
      if (key !== undefined) return [key, decodeURIComponent(value)];
    } catch { /* not percent-encoded */ }
    throw refusal(name, item.split("=")[0], "pairs like key=value, with commas between them");
  }));
}

function refusal(name: string, value: string, wanted: string): BargeError {
  return new BargeError("usage", `${name}: ${JSON.stringify(value)} is not ${wanted}`);
}
