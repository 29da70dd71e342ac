/** The limits of `barge serve`. SIGHUP applies other values. */
import { defaultMinPasswordLength, maxMinPasswordLength } from "../../core/protocol/password.ts";
import { minRateBytesPerSecond } from "../../core/watch/rate.ts";
import type { Adjustable } from "../../core/watch/settings.ts";
import { marked, value, valueOr, type ValuesOf } from "../_term/command.ts";
import { count, sizeOrNone } from "../_term/value.ts";

/** The options of the table [limits] of the configuration file. */
export const limitOptions = marked({
  quota: valueOr(
    sizeOrNone(),
    1_000_000,
    "The quota of an account that registers without naming one. Default: 1MB",
  ),
  maxQuota: value(
    sizeOrNone(),
    "The largest quota that an account can register with, or grow to, by itself. Default: --quota",
  ),
  minPassword: valueOr(
    count("N", 0, maxMinPasswordLength),
    defaultMinPasswordLength,
    "The least length of a new password, in characters. At the native door the client checks it, " +
      "since no password is sent. Default: 8",
  ),
  registerPerAddress: valueOr(
    count("N", 0),
    5,
    "The most attempts to register from one address in an hour. 0: no limit. Default: 5",
  ),
  registerPerHour: valueOr(
    count("N", 0),
    100,
    "The most accounts that register in an hour, from all addresses. 0: no limit. Default: 100",
  ),
  registerTotal: valueOr(
    sizeOrNone(),
    10 * 2 ** 30,
    "The most bytes of quota of all registered accounts together. Default: 10GiB",
  ),
  banAfter: valueOr(
    count("N", 0),
    9,
    "The failed logins in an hour after which an address is banned, or an account at addresses " +
      "where it has not logged in before: for 5 minutes, the next time for 10, up to a day. " +
      "0: never. Default: 9",
  ),
  maxConnections: valueOr(
    count("N", 0),
    4096,
    "The most connections at once, over all workers. 0: no limit. Default: 4096",
  ),
  maxPerAddress: valueOr(
    count("N", 0),
    256,
    "The same for one address; loopback does not count. 0: no limit. Default: 256",
  ),
  maxPerAccount: valueOr(
    count("N", 0),
    1024,
    "The same for one account that is logged in. 0: no limit. Default: 1024",
  ),
  rateUp: valueOr(
    rate(),
    null,
    "The most bytes a second that an account sends, over all its connections. Default: none",
  ),
  rateDown: valueOr(rate(), null, "The same for bytes that it receives. Default: none"),
}, { place: "limits", reloads: "always" });

/** Returns the limits as the server takes them. */
export function limitsOf(options: ValuesOf<typeof limitOptions>) {
  const { maxConnections, maxPerAddress, maxPerAccount, maxQuota = options.quota } = options;
  return {
    defaultLimit: options.quota,
    maxLimit: maxQuota,
    minPassword: options.minPassword,
    banAfter: options.banAfter,
    registering: {
      perAddress: options.registerPerAddress || null,
      perHour: options.registerPerHour || null,
      total: options.registerTotal,
    },
    rateUp: options.rateUp,
    rateDown: options.rateDown,
    limits: { connections: maxConnections, perAddress: maxPerAddress, perAccount: maxPerAccount },
  } satisfies Adjustable;
}

/** Bytes a second. */
function rate() {
  const parser = sizeOrNone();
  const parse = (text: string) => {
    const rate = parser.parse(text);
    return typeof rate === "number" && rate < minRateBytesPerSecond ? undefined : rate;
  };
  return { ...parser, parse, wanted: "a size of 1KiB or more, or `none`" };
}
