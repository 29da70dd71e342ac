/** Reads the options of a running server again, and separates the changes that need a restart. */
import type { Role } from "../../core/storage/account.ts";
import type { Adjustable } from "../../core/watch/settings.ts";
import type { ChangedSettings } from "../../core/serve/reload.ts";
import type { LogLevel } from "../../core/serve/log_level.ts";
import { textOf } from "../_config/shown.ts";
import { longName, type Option, type Options, type ValuesOf } from "../_term/command.ts";
import type { Reading, Source } from "../_term/source.ts";
import { type auditOptions, auditSettings } from "./audit.ts";
import { type limitOptions, limitsOf } from "./limits.ts";
import { readProxyCert } from "./proxy_cert.ts";
import { verifyOf, type verifyOptions } from "./verify.ts";

/** The values that a running server applies. */
interface LiveValues
  extends
    ValuesOf<typeof limitOptions>,
    ValuesOf<typeof auditOptions>,
    ValuesOf<typeof verifyOptions> {
  readonly allowRegister: boolean;
  readonly requireTotp?: readonly Role[];
  readonly proxyCert?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly logLevel: LogLevel;
}

/**
 * Returns a function that reads the options again. Changes count from the values in force, so that it names
 * a change that needs a restart each time.
 *
 * @param first the values at the start, and their sources
 * @param options the options of `serve`
 */
export function settingsReader<T extends LiveValues>(
  first: Reading<T>,
  options: Options<unknown>,
  readAgain: () => Promise<Reading<unknown>>,
): () => Promise<ChangedSettings> {
  let inForce = first;
  return async () => {
    const read = await readAgain() as Reading<T>;
    const values = { ...inForce.values };
    const sources = new Map(inForce.sources);
    const changes: string[] = [];
    const changed: Record<string, { from: unknown; to: unknown }> = {};
    const needRestart: string[] = [];
    for (const [key, option] of Object.entries<Option<unknown>>(options)) {
      const field = key as keyof T;
      const name = longName(option.names).slice(2);
      const [from, to] = [values[field], read.values[field]];
      if (JSON.stringify(from) === JSON.stringify(to)) continue;
      if (!applies(option, from, to)) {
        needRestart.push(name);
        continue;
      }
      const source = read.sources.get(key);
      const shown = (value: unknown, source?: Source) =>
        value === undefined ? "the default" : textOf(option, value, source);
      changes.push(`${name} from ${shown(from, sources.get(key))} to ${shown(to, source)}`);
      changed[name] = { from: recorded(from), to: recorded(to) };
      values[field] = to;
      if (source) sources.set(key, source);
      else sources.delete(key);
    }
    const { tlsCert, tlsKey, logLevel } = values;
    const limits = adjustableOf(values); // it reads a file, and may fail
    inForce = { values, sources };
    const verify = verifyOf(values);
    return { limits, logLevel, verify, tlsCert, tlsKey, changes, changed, needRestart };
  };
}

/** Returns a value for a record, where undefined, an option without a value of its own, would be lost. */
function recorded(value: unknown): unknown {
  return value === undefined ? "default" : value;
}

/** Returns the settings of the doors that a reload changes. @throws {BargeError} for an unusable --proxy-cert */
export function adjustableOf(values: LiveValues) {
  const { allowRegister, requireTotp, proxyCert } = values;
  const limits = { ...limitsOf(values), proxyBindings: readProxyCert(proxyCert) };
  return { ...limits, allowRegister, requireTotp, ...auditSettings(values) } satisfies Adjustable;
}

function applies({ reloads }: Option<unknown>, from: unknown, to: unknown): boolean {
  return reloads === "always" ||
    (reloads === "replaced" && from !== undefined && to !== undefined);
}
